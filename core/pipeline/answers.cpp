// Lines of the table; everything is copied to the host once a batch.
#include "pipeline/answers.hpp"

#include "base/csv.hpp"
#include "pipeline/ledger.hpp"

#include <ATen/ATen.h>

#include <array>
#include <charconv>

namespace topress::pipeline {

namespace {

/// The shortest text that reads as the same float.
std::string shortest(float value) {
    std::array<char, 32> buffer{};
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
    return {buffer.data(), end.ptr};
}

void add_cell(std::string& line, const std::string& cell) {
    line.append(1, ',').append(cell);
}

at::Tensor on_host(const at::Tensor& tensor, at::ScalarType type) {
    return tensor.to(at::kCPU, type).contiguous();
}

}  // namespace

AnswerTable::AnswerTable(const network::Network& network, const train::TrainingData& data)
    : data_(data) {
    for (const network::Exit& exit : network.exits()) {
        places_.push_back(csv_cell(exit.name));
    }
    places_.emplace_back(kMainOutput);
    text_ = data.is_regression() ? "sample,exit" : "sample,label,answer,exit";
    for (const std::string& name : data.classes) {
        add_cell(text_, csv_cell("logit " + name));
    }
    for (const std::string& name : data.targets) {
        add_cell(text_, csv_cell(name));
        add_cell(text_, csv_cell(name + " answer"));
    }
    text_ += "\n";
}

void AnswerTable::add(const train::Answers& answers) {
    if (data_.is_regression()) {
        add_numbers(answers);
    } else {
        add_classes(answers);
    }
}

void AnswerTable::add_classes(const train::Answers& answers) {
    const at::Tensor output = on_host(answers.output, at::kFloat);
    const at::Tensor place = on_host(answers.place, at::kLong);
    const at::Tensor labels = on_host(answers.labels, at::kLong);
    const at::Tensor named = output.argmax(1);
    const auto* logit = output.const_data_ptr<float>();
    const auto name = [&](const at::Tensor& classes, std::int64_t i) {
        const auto index = static_cast<std::size_t>(classes.const_data_ptr<std::int64_t>()[i]);
        return csv_cell(data_.classes.at(index));
    };
    for (std::int64_t i = 0; i < output.size(0); ++i) {
        const auto left_at = static_cast<std::size_t>(place.const_data_ptr<std::int64_t>()[i]);
        text_ += std::to_string(samples_++);
        add_cell(text_, name(labels, i));
        add_cell(text_, name(named, i));
        add_cell(text_, places_.at(left_at));
        for (std::int64_t c = 0; c < output.size(1); ++c) {
            add_cell(text_, shortest(*logit++));
        }
        text_ += "\n";
    }
}

void AnswerTable::add_numbers(const train::Answers& answers) {
    const data::TargetScale& scale = data_.normalisation.targets;
    const at::Tensor deviation = at::tensor(scale.deviation, at::kDouble);
    const at::Tensor mean = at::tensor(scale.mean, at::kDouble);
    const auto in_own_unit = [&](const at::Tensor& numbers) {
        return on_host(on_host(numbers, at::kDouble) * deviation + mean, at::kFloat);
    };
    const at::Tensor output = in_own_unit(answers.output);
    const at::Tensor labels = in_own_unit(answers.labels);
    const at::Tensor place = on_host(answers.place, at::kLong);
    const auto* answer = output.const_data_ptr<float>();
    const auto* label = labels.const_data_ptr<float>();
    for (std::int64_t i = 0; i < output.size(0); ++i) {
        const auto left_at = static_cast<std::size_t>(place.const_data_ptr<std::int64_t>()[i]);
        text_ += std::to_string(samples_++);
        add_cell(text_, places_.at(left_at));
        for (std::int64_t d = 0; d < output.size(1); ++d) {
            add_cell(text_, shortest(*label++));
            add_cell(text_, shortest(*answer++));
        }
        text_ += "\n";
    }
}

}  // namespace topress::pipeline
