// The tables as C sees them: unknown interfaces, null pointers, short structs, small buffers.
#include "plugin/host_objects.hpp"
#include "unit/host/stage.hpp"

#include <topress/tensor.hpp>

#include <cstring>

namespace topress::test {

namespace {

const topress_model_v1& api() {
    return plugin::model_table();
}

struct Handle {
    Handle() { detail::g_host = &plugin::host_interface(); }

    topress_model model{make_network()};
    topress_error error = detail::make_error();
};

}  // namespace

TEST_SUITE("host: boundary") {
    TEST_CASE("the host knows its five interfaces and no other") {
        const topress_host& host = plugin::host_interface();
        CHECK(host.abi_major == TOPRESS_ABI_MAJOR);
        CHECK(std::string(host.version).find('.') != std::string::npos);
        for (const char* id :
             {TOPRESS_MODEL_1, TOPRESS_DATA_1, TOPRESS_TRAINING_1, TOPRESS_RUN_1, TOPRESS_OPS_1}) {
            CAPTURE(id);
            CHECK(host.get_interface(id) != nullptr);
        }
        CHECK(host.get_interface("topress.model/2") == nullptr);
        CHECK(host.get_interface(nullptr) == nullptr);
    }

    TEST_CASE("no entry of a table is empty") {
        const auto complete = [](const auto& table) {
            using Function = void (*)();
            const auto* bytes = reinterpret_cast<const char*>(&table);
            for (std::size_t at = sizeof(Function); at < sizeof table; at += sizeof(Function)) {
                Function function = nullptr;
                std::memcpy(&function, bytes + at, sizeof function);
                if (function == nullptr) {
                    return false;
                }
            }
            return table.struct_size == sizeof table;
        };
        CHECK(complete(plugin::model_table()));
        CHECK(complete(plugin::data_table()));
        CHECK(complete(plugin::training_table()));
        CHECK(complete(plugin::run_table()));
        CHECK(complete(plugin::ops_table()));
    }

    TEST_CASE("a missing or older interface is unsupported") {
        static topress_run_v1 short_table{};
        short_table.struct_size = sizeof(topress_run_v1) - 8;
        static const topress_host older = {
            sizeof(topress_host), 1, 0, "0.0.1", [](const char* id) -> const void* {
                return std::strcmp(id, TOPRESS_RUN_1) == 0 ? &short_table : nullptr;
            }};
        detail::g_host = &older;
        const PluginError missing =
            error_of([] { (void)table<topress_model_v1>(TOPRESS_MODEL_1); });
        const PluginError small = error_of([] { (void)table<topress_run_v1>(TOPRESS_RUN_1); });
        detail::g_host = nullptr;
        CHECK(missing.code() == TOPRESS_ERROR_UNSUPPORTED);
        CHECK(contains(missing.what(), "offers no 'topress.model/1'"));
        CHECK(small.code() == TOPRESS_ERROR_UNSUPPORTED);
        CHECK(contains(small.what(), "older"));
        CHECK(status_of([] { (void)host(); }) == TOPRESS_ERROR_UNSUPPORTED);
    }

    TEST_CASE("null pointers are refused by name") {
        Handle h;
        CHECK(api().node_count(nullptr) == 0);
        CHECK(std::string(api().output(nullptr)).empty());
        CHECK(api().set_output(nullptr, "f.out", &h.error) == TOPRESS_ERROR_INVALID_ARGUMENT);
        CHECK(std::string(h.error.message) == "model is a null pointer");
        CHECK(api().set_output(&h.model, nullptr, &h.error) == TOPRESS_ERROR_INVALID_ARGUMENT);
        CHECK(std::string(h.error.message) == "value is a null pointer");
        CHECK(api().cost(&h.model, nullptr, &h.error) == TOPRESS_ERROR_INVALID_ARGUMENT);
        CHECK(api().cost(&h.model, nullptr, nullptr) == TOPRESS_ERROR_INVALID_ARGUMENT);
        CHECK(plugin::ops_table().implement_quantize(nullptr, &h.error) ==
              TOPRESS_ERROR_INVALID_ARGUMENT);
        plugin::run_table().log(nullptr, TOPRESS_LOG_INFO, "nobody");
        CHECK(plugin::run_table().cancelled(nullptr) == 0);
    }

    TEST_CASE("structs shorter than the host knows are refused and longer ones accepted") {
        Handle h;
        topress_cost cost{};
        cost.struct_size = sizeof cost - 1;
        CHECK(api().cost(&h.model, &cost, &h.error) == TOPRESS_ERROR_INVALID_ARGUMENT);
        CHECK(contains(h.error.message, "struct_size"));
        cost.struct_size = sizeof cost + 8;
        CHECK(api().cost(&h.model, &cost, &h.error) == TOPRESS_OK);
        CHECK(cost.struct_size == sizeof cost + 8);
        CHECK(cost.macs > 0);
    }

    TEST_CASE("an array is read in steps of the size its elements say") {
        struct Larger {
            topress_value value;
            double appended;
        };

        Larger values[2]{};
        const char* names[] = {"first", "second"};
        for (std::size_t i = 0; i < 2; ++i) {
            values[i].value.struct_size = sizeof(Larger);
            values[i].value.type = TOPRESS_TYPE_INTEGER;
            values[i].value.name = names[i];
            values[i].value.integer = static_cast<std::int64_t>(i + 1);
        }
        Handle h;
        const char* input = "r.out";
        const char* output = "new.out";
        REQUIRE(
            api().add_node(
                &h.model, "new", "relu", &input, 1, &output, 1, &values[0].value, 2, &h.error) ==
            TOPRESS_OK);
        CHECK(Model(&h.model).integer("new", "second").value_or(0) == 2);
    }

    TEST_CASE("a small shape buffer is filled as far as it goes and the rank told") {
        Handle h;
        std::int64_t sizes[2] = {0, -7};
        std::uint64_t rank = 0;
        CHECK(api().value_shape(&h.model, "c.out", sizes, 1, &rank, &h.error) == TOPRESS_OK);
        CHECK(rank == 3);
        CHECK(sizes[0] == 4);
        CHECK(sizes[1] == -7);
    }

    TEST_CASE("forward wants room for every output") {
        Handle h;
        const at::Tensor input = at::zeros({1, 1, 8, 8});
        CHECK(api().forward(&h.model, to_handle(input), nullptr, 0, &h.error) ==
              TOPRESS_ERROR_BUFFER_TOO_SMALL);
        CHECK(contains(h.error.message, "room for 0 outputs, the network has 1"));
    }

    TEST_CASE("indices beyond the end are refused") {
        Handle h;
        const char* text = nullptr;
        topress_exit exit{};
        exit.struct_size = sizeof exit;
        std::uint64_t count = 0;
        CHECK(api().parameter_name(&h.model, 7, &text, &h.error) == TOPRESS_ERROR_INVALID_ARGUMENT);
        CHECK(contains(h.error.message, "no parameter 7"));
        CHECK(api().node(&h.model, 6, &text, &text, &count, &count, &h.error) ==
              TOPRESS_ERROR_INVALID_ARGUMENT);
        CHECK(api().node_input(&h.model, "c", 2, &text, &h.error) ==
              TOPRESS_ERROR_INVALID_ARGUMENT);
        CHECK(api().exit(&h.model, 0, &exit, &h.error) == TOPRESS_ERROR_INVALID_ARGUMENT);
        CHECK(api().group(&h.model, 1, &text, &count, &count, &h.error) ==
              TOPRESS_ERROR_INVALID_ARGUMENT);
    }

    TEST_CASE("a message longer than its field ends at a whole character") {
        topress_error error = detail::make_error();
        std::string long_text(sizeof error.message - 2, 'a');
        long_text += "\xC3\xA4\xC3\xA4";
        detail::fail(&error, TOPRESS_ERROR_FAILED, long_text, "here");
        CHECK(std::string(error.message) == std::string(sizeof error.message - 2, 'a'));
        CHECK(std::string(error.where) == "here");
    }

    TEST_CASE("the barrier keeps codes and takes the first line of other exceptions") {
        topress_error error = detail::make_error();
        CHECK(detail::guarded(&error, [] {}) == TOPRESS_OK);
        CHECK(detail::guarded(&error, [] { TORCH_CHECK(false, "bad tensor"); }) ==
              TOPRESS_ERROR_FAILED);
        CHECK(std::string(error.message) == "bad tensor");
        CHECK(detail::guarded(&error, [] { throw 3; }) == TOPRESS_ERROR_FAILED);
        CHECK(detail::guarded(&error, [] { throw PluginError(TOPRESS_OK, "fine"); }) ==
              TOPRESS_ERROR_FAILED);
    }

    TEST_CASE("there is no third split") {
        Stage stage;
        topress_run run(stage.services, stage.original);
        topress_error error = detail::make_error();
        topress_reader* reader = nullptr;
        CHECK(plugin::data_table().open(&run, 2, 0, 0, 0, &reader, &error) ==
              TOPRESS_ERROR_INVALID_ARGUMENT);
        CHECK(reader == nullptr);
    }
}

}  // namespace topress::test
