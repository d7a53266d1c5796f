// TechniqueObject: parameters across the boundary, statuses back into exceptions.
#include "plugin/advice.hpp"
#include "plugin/foreign_text.hpp"
#include "plugin/library.hpp"

#include <deque>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace topress::plugin {

namespace {

// The C form of a set of parameters. Values point into `parameters` and into this object.
class ParameterArray {
  public:
    explicit ParameterArray(const config::Parameters& parameters) {
        for (const auto& [name, given] : parameters) {
            topress_value value{};
            value.struct_size = sizeof(value);
            value.name = name.c_str();
            std::visit([&](const auto& held) { set(value, held); }, given.value);
            values_.push_back(value);
        }
    }

    [[nodiscard]] const topress_value* data() const { return values_.data(); }

    [[nodiscard]] std::uint64_t size() const { return values_.size(); }

  private:
    static void set(topress_value& value, bool held) {
        value.type = TOPRESS_TYPE_BOOL;
        value.integer = held ? 1 : 0;
    }

    static void set(topress_value& value, std::int64_t held) {
        value.type = TOPRESS_TYPE_INTEGER;
        value.integer = held;
    }

    static void set(topress_value& value, double held) {
        value.type = TOPRESS_TYPE_NUMBER;
        value.number = held;
    }

    static void set(topress_value& value, const std::string& held) {
        value.type = TOPRESS_TYPE_STRING;
        value.string = held.c_str();
    }

    static void set(topress_value& value, const std::vector<std::int64_t>& held) {
        value.type = TOPRESS_TYPE_INTEGER_LIST;
        value.integers = held.data();
        value.count = held.size();
    }

    static void set(topress_value& value, const std::vector<double>& held) {
        value.type = TOPRESS_TYPE_NUMBER_LIST;
        value.numbers = held.data();
        value.count = held.size();
    }

    void set(topress_value& value, const std::vector<std::string>& held) {
        std::vector<const char*>& pointers = strings_.emplace_back();
        for (const std::string& text : held) {
            pointers.push_back(text.c_str());
        }
        value.type = TOPRESS_TYPE_STRING_LIST;
        value.strings = pointers.data();
        value.count = pointers.size();
    }

    std::vector<topress_value> values_;
    std::deque<std::vector<const char*>> strings_;
};

class Call {
  public:
    Call() { error_.struct_size = sizeof(error_); }

    topress_error* error() { return &error_; }

    // A plugin in C++ without the SDK's trampolines may throw across the boundary.
    template <class Function>
    topress_status run(Function function) {
        try {
            return function();
        } catch (...) {
            constexpr std::string_view kMessage = "an exception left the plugin";
            kMessage.copy(error_.message, kMessage.size());
            error_.message[kMessage.size()] = '\0';
            return TOPRESS_ERROR_FAILED;
        }
    }

    void check(topress_status status, const std::string& technique, const char* code) const {
        if (status == TOPRESS_OK) {
            return;
        }
        std::string message = plain_text(error_.message);
        if (message.empty()) {
            message = "status " + std::to_string(status) + " without a message";
        }
        throw Error(
            code, technique + ": " + message, plain_text(error_.where), advice_for(error_.message));
    }

  private:
    topress_error error_{};
};

}  // namespace

TechniqueObject::TechniqueObject(const Library& library, const std::string& technique_id)
    : TechniqueObject(library.techniques(), technique_id) {}

TechniqueObject::TechniqueObject(const topress_techniques_v1& table,
                                 const std::string& technique_id)
    : table_(&table), id_(technique_id) {
    Call call;
    const topress_status status =
        call.run([&] { return table_->create(id_.c_str(), &object_, call.error()); });
    call.check(status, id_, "plugin/create-failed");
    if (object_ == nullptr) {
        throw Error("plugin/create-failed",
                    id_ + ": the plugin reports success and gave no technique",
                    {},
                    "report it to the plugin's author");
    }
}

TechniqueObject::~TechniqueObject() {
    if (object_ != nullptr) {
        table_->destroy(object_);
    }
}

TechniqueObject::TechniqueObject(TechniqueObject&& other) noexcept
    : table_(other.table_),
      object_(std::exchange(other.object_, nullptr)),
      id_(std::move(other.id_)) {}

TechniqueObject& TechniqueObject::operator=(TechniqueObject&& other) noexcept {
    std::swap(table_, other.table_);
    std::swap(object_, other.object_);
    std::swap(id_, other.id_);
    return *this;
}

void TechniqueObject::configure(const config::Parameters& parameters) {
    const ParameterArray values(parameters);
    Call call;
    const topress_status status = call.run(
        [&] { return table_->configure(object_, values.data(), values.size(), call.error()); });
    call.check(status, id_, "plugin/configure-failed");
}

void TechniqueObject::apply(const topress_stage& stage) {
    Call call;
    const topress_status status =
        call.run([&] { return table_->apply(object_, &stage, call.error()); });
    call.check(
        status, id_, status == TOPRESS_ERROR_CANCELLED ? "run/interrupted" : "plugin/apply-failed");
}

}  // namespace topress::plugin
