// The example of docs/sdk.md does what it says, and is the text that the page shows.
#include "base/files.hpp"
#include "unit/host/magnitude_example.hpp"
#include "unit/host/stage.hpp"

#include <cstdlib>
#include <map>

namespace topress::test {

TEST_SUITE("host: example") {
    TEST_CASE("the example keeps its zeros through training") {
        const std::string name = "sparsity_ratio";
        topress_value values[2]{};
        values[0] = detail::to_value(name, Attribute(0.5));
        const std::string epochs = "epochs";
        values[1] = detail::to_value(epochs, Attribute(1.0));
        Stage stage;
        stage.run([&](Model& model, Context& context) {
            MagnitudePruning technique;
            technique.configure(Params(values, 2));
            technique.apply(model, context);
        });
        const at::Tensor weight = stage.model.parameter("c.weight").tensor;
        CHECK((weight == 0).sum().item<std::int64_t>() == 18);
        CHECK(!at::equal(weight, stage.original.parameter("c.weight").tensor * (weight != 0)));
        CHECK(stage.services.metrics.size() == 1);
    }

    TEST_CASE("the page shows the example as it is") {
        const char* source = std::getenv("TOPRESS_TEST_SOURCE_DIR");
        if (source == nullptr) {
            MESSAGE("[SKIP] TOPRESS_TEST_SOURCE_DIR is not set: run through ctest");
            return;
        }
        const std::string root = source;
        const std::string page = read_file(root + "/docs/sdk.md");
        const std::string code = read_file(root + "/tests/unit/host/magnitude_example.hpp");
        const std::string shown = code.substr(code.find("/// Zeroes"));
        CHECK(page.find("```cpp\n#include <topress/plugin.hpp>\n\n" + shown) != std::string::npos);
    }
}

}  // namespace topress::test
