// A line that says what the numbers are, then the numbers.
#include "pipeline/teacher_answers.hpp"

#include "base/error.hpp"
#include "pipeline/documents.hpp"
#include "pipeline/sealed_bytes.hpp"

#include <ATen/ATen.h>

#include <cstring>
#include <vector>

namespace topress::pipeline {
namespace {

constexpr std::string_view kKind = "teacher";

at::Tensor read_payload(std::string_view payload, const std::string& key) {
    const std::size_t line = payload.find('\n');
    if (line == std::string_view::npos) {
        throw damaged_entry("it ends too early");
    }
    const Json json = Json::parse(payload.substr(0, line));
    if (json.at("key").get<std::string>() != key) {
        throw damaged_entry("it belongs to another key");
    }
    const auto shape = json.at("shape").get<std::vector<std::int64_t>>();
    const std::string_view numbers = payload.substr(line + 1);
    std::size_t bytes = sizeof(float);
    for (const std::int64_t size : shape) {
        bytes *= static_cast<std::size_t>(size);
    }
    if (shape.size() != 3 || bytes != numbers.size()) {
        throw damaged_entry("it does not end where it should");
    }
    at::Tensor logits = at::empty(shape, at::kFloat);
    std::memcpy(logits.mutable_data_ptr<float>(), numbers.data(), bytes);
    return logits;
}

}  // namespace

std::string teacher_answers_to_bytes(const std::string& key, const at::Tensor& logits) {
    const at::Tensor plain = logits.to(at::kFloat).cpu().contiguous();
    Json json;
    json["key"] = key;
    json["shape"] = plain.sizes().vec();
    std::string payload = json.dump();
    payload.append("\n").append(reinterpret_cast<const char*>(plain.const_data_ptr<float>()),
                                plain.nbytes());
    return seal(kKind, payload);
}

at::Tensor teacher_answers_from_bytes(const std::string& bytes, const std::string& key) {
    try {
        return read_payload(unseal(kKind, bytes), key);
    } catch (const Json::exception& error) {
        throw damaged_entry(error.what());
    }
}

}  // namespace topress::pipeline
