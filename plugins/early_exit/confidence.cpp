// From parameters to heads, their training, the choice of exits, and what of it the network keeps.
#include "confidence.hpp"

#include "number_heads.hpp"

#include <optional>
#include <sstream>

namespace topress::early_exit {
namespace {

std::string alone(double accuracy, bool is_regression) {
    std::ostringstream text;
    text.precision(3);
    if (is_regression) {
        text << "alone R2 " << accuracy;
    } else {
        text << "alone " << accuracy * 100 << " %";
    }
    return text.str();
}

std::string describe(const Head& head,
                     const ChosenExits& chosen,
                     std::size_t exit,
                     bool is_regression) {
    std::ostringstream text;
    text.precision(3);
    text << head.name << " at " << head.place.value << " (" << head.place.macs_share * 100
         << " % of MACs, " << alone(chosen.alone[exit], is_regression) << "): ";
    if (chosen.thresholds[exit] < kNever) {
        text << "threshold " << chosen.thresholds[exit] << ", " << chosen.share[exit] * 100
             << " % leave";
    } else {
        text << (chosen.kept[exit]          ? "nobody leaves, the next exit is compared with it"
                 : chosen.spent_by_body > 0 ? "left out, the body has lost too much"
                                            : "saves too little, left out");
    }
    return text.str();
}

std::optional<double> given(const Params& params, const std::string& name) {
    return params.has(name) ? std::optional(params.get<double>(name)) : std::nullopt;
}

std::string too_much_for_the_body(double drop) {
    std::ostringstream text;
    text.precision(3);
    text << "training the body with its heads cost the main output " << drop * 100
         << " points of validation, more than max_drop_pp: the network is unchanged; a smaller "
            "heads_weight or learning_rate costs less, training = \"frozen\" nothing";
    return text.str();
}

}  // namespace

void ConfidenceExits::configure(const Params& params) {
    positions_ = params.get<std::vector<double>>("positions");
    places_ = params.get<std::vector<std::string>>("places");
    candidates_ = params.get<int>("candidates");
    maximum_exits_ = params.get<int>("maximum_exits");
    head_.kind = parse_head_kind(params.get<std::string>("head"));
    head_.codewords = params.get<std::int64_t>("codewords");
    head_.criterion = params.get_or<std::string>("criterion", "");
    max_drop_pp_ = params.get<double>("max_drop_pp");
    counts_gains_ = params.get<bool>("count_gains");
    minimum_saving_ = params.get<double>("minimum_saving");
    training_.is_joint = params.get<std::string>("training") == "joint";
    training_.epochs = params.get<double>("epochs");
    training_.learning_rate = params.get<double>("learning_rate");
    training_.lesson.temperature = params.get<double>("temperature");
    training_.lesson.label_weight = params.get<double>("label_weight");
    training_.heads_weight = given(params, "heads_weight");
    training_.original_weight = given(params, "original_weight");
    if (!places_.empty() && candidates_ > 0) {
        throw PluginError(TOPRESS_ERROR_INVALID_ARGUMENT,
                          "places names where exits are, candidates lets them be chosen: give one",
                          "candidates");
    }
}

void ConfidenceExits::apply(Model& model, Context& context) {
    if (!model.exits().empty()) {
        choose_again(model, context);
        return;
    }
    const auto heads = plan_heads(model);
    HeadOptions options = head_;
    options.criterion = criterion_for(context.info());
    options.outputs = model.value_shape(model.output()).front();
    OwnedModel trial = model.clone();
    for (const auto& head : heads) {
        attach_head(trial, head, options, context.device(), context.random());
    }
    const bool is_regression = context.info().is_regression();
    std::vector<double> rates;
    if (is_regression) {
        rates = solve_number_heads(trial, context, training_.lesson.label_weight);
    }
    train_heads(trial, context, training_, rates);

    ExitBounds bounds;
    bounds.most = candidates_ > 0 ? static_cast<std::size_t>(maximum_exits_) : heads.size();
    bounds.accuracy = bound_for(context.info());
    bounds.minimum_saving = minimum_saving_;
    if (training_.is_joint) {
        bounds.before = context.evaluate(model).accuracy;
    }
    const ChosenExits chosen = choose_exits(trial, context, bounds);
    for (std::size_t k = 0; k < heads.size(); ++k) {
        const bool kept = chosen.kept[k];
        context.log_info(describe(heads[k], chosen, k, is_regression));
        if (kept) {
            trial.set_exit(heads[k].name, chosen.thresholds[k], chosen.share[k]);
        } else {
            trial.remove_exit(heads[k].name);
        }
    }
    context.log_info("main output: " + alone(chosen.alone.back(), is_regression));
    const auto kept = static_cast<double>(trial.exits().size());
    context.metric("exits", kept);
    if (kept == 0) {
        // A body that was trained for exits would have given up something for nothing.
        context.log_warn(
            chosen.spent_by_body > 0
                ? too_much_for_the_body(chosen.spent_by_body)
                : "no exit saves minimum_saving within max_drop_pp: the network is unchanged");
        context.metric("nothing_to_do", 1);
        return;
    }
    model.assign(trial);
    context.metric("validation_accuracy", chosen.accuracy);
    context.metric("expected_cost_ratio", chosen.cost_ratio);
}

std::vector<Head> ConfidenceExits::plan_heads(const Model& model) const {
    if (!places_.empty()) {
        return heads_at_names(model, places_);
    }
    return candidates_ > 0 ? heads_at_candidates(model, candidates_)
                           : heads_at_positions(model, positions_);
}

std::string ConfidenceExits::criterion_for(const DataInfo& data) const {
    const std::string& wanted = head_.criterion;
    if (!data.is_regression()) {
        return wanted.empty() ? "max-probability" : wanted;
    }
    if (!wanted.empty() && wanted != "agreement") {
        throw PluginError(TOPRESS_ERROR_INVALID_ARGUMENT,
                          "the criterion '" + wanted +
                              "' is about classes, the labels are numbers: write criterion = "
                              "\"agreement\", or leave it out",
                          "criterion");
    }
    return "closeness";
}

AccuracyBound ConfidenceExits::bound_for(const DataInfo& data) const {
    // Every number is somewhat better or worse: without gains no exit would be allowed.
    return {max_drop_pp_ / 100.0, counts_gains_ || data.is_regression()};
}

void ConfidenceExits::choose_again(Model& model, Context& context) const {
    const auto exits = model.exits();
    // All stay, whatever they save: a later stage may not lose what an earlier one attached.
    const ChosenExits chosen =
        choose_exits(model, context, {exits.size(), bound_for(context.info()), 0.0, {}});
    for (std::size_t k = 0; k < exits.size(); ++k) {
        model.set_exit(exits[k].name, chosen.thresholds[k], chosen.share[k]);
        std::ostringstream text;
        text.precision(3);
        text << exits[k].name << ": threshold " << chosen.thresholds[k] << ", "
             << chosen.share[k] * 100 << " % leave";
        context.log_info(text.str());
    }
    context.metric("validation_accuracy", chosen.accuracy);
}

}  // namespace topress::early_exit
