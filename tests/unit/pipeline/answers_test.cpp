// Tests pipeline/answers.cpp.
#include "pipeline/answers.hpp"

#include "unit/pipeline/fixtures.hpp"

#include <ATen/ATen.h>
#include <doctest/doctest.h>

using namespace topress;

TEST_CASE("answers: a line a sample over all batches, with names of classes and exits") {
    network::Network network = test::small_network();
    test::attach_exit(network, "early", 0.9);
    train::TrainingData data;
    data.classes = {"shirt", "shoe, left"};
    pipeline::AnswerTable table(network, data);
    const at::Tensor first = at::tensor({0.25F, -1.5F, 1e-7F, 3.0F}).view({2, 2});
    const at::Tensor second = at::tensor({0.1F, 0.2F}).view({1, 2});
    table.add({first, at::tensor({0, 1}, at::kLong), at::tensor({0, 0}, at::kLong)});
    table.add({second, at::tensor({1}, at::kLong), at::tensor({1}, at::kLong)});
    CHECK(table.text() ==
          "sample,label,answer,exit,logit shirt,\"logit shoe, left\"\n"
          "0,shirt,shirt,early,0.25,-1.5\n"
          "1,shirt,\"shoe, left\",main output,1e-07,3\n"
          "2,\"shoe, left\",\"shoe, left\",main output,0.1,0.2\n");
}

TEST_CASE("answers: numbers are told in the unit of each target") {
    train::TrainingData data;
    data.targets = {"width", "angle"};
    data.normalisation.targets = {{10, 0}, {2, 90}};
    pipeline::AnswerTable table(test::small_network(), data);
    const at::Tensor output = at::tensor({1.0F, 0.5F}).view({1, 2});
    const at::Tensor labels = at::tensor({-1.0F, 0.25F}).view({1, 2});
    table.add({output, at::zeros({1}, at::kLong), labels});
    CHECK(table.text() ==
          "sample,exit,width,width answer,angle,angle answer\n"
          "0,main output,8,12,22.5,45\n");
}
