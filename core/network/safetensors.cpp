// Reads and writes the safetensors container; every number of a file is checked before use.
// Format: 8-byte little-endian header length, JSON header, tensor data (github
// huggingface/safetensors).
#include "network/safetensors.hpp"

#include "base/error.hpp"

#include <ATen/ATen.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <set>
#include <string_view>

namespace topress::network {
namespace {

using Json = nlohmann::json;

static_assert(std::endian::native == std::endian::little, "tensor data is little-endian");

constexpr std::size_t kLengthBytes = 8;
constexpr std::uint64_t kMaximumHeader = std::uint64_t{64} << 20;
constexpr std::size_t kMaximumRank = 8;

struct TypeName {
    std::string_view name;
    at::ScalarType type;
};

constexpr std::array<TypeName, 10> kTypes{{{"F32", at::kFloat},
                                           {"F64", at::kDouble},
                                           {"F16", at::kHalf},
                                           {"BF16", at::kBFloat16},
                                           {"I64", at::kLong},
                                           {"I32", at::kInt},
                                           {"I16", at::kShort},
                                           {"I8", at::kChar},
                                           {"U8", at::kByte},
                                           {"BOOL", at::kBool}}};

std::string_view type_name(const std::string& tensor, at::ScalarType type) {
    const auto* found = std::find_if(
        kTypes.begin(), kTypes.end(), [&](const TypeName& entry) { return entry.type == type; });
    if (found == kTypes.end()) {
        throw Error("network/bad-parameter",
                    std::string("parameter '") + tensor + "' has element type " +
                        c10::toString(type) + ", which cannot be stored",
                    tensor);
    }
    return found->name;
}

/// Contiguous CPU copies where needed; held until they are written.
std::vector<at::Tensor> to_storable(const SafeTensors& content) {
    std::vector<at::Tensor> tensors;
    for (const auto& [name, tensor] : content.tensors) {
        tensors.push_back(tensor.detach().to(at::kCPU).contiguous());
    }
    return tensors;
}

std::string make_header(const SafeTensors& content, const std::vector<at::Tensor>& tensors) {
    Json header = Json::object();
    header["__metadata__"] = content.metadata;
    std::uint64_t offset = 0;
    for (std::size_t i = 0; i < tensors.size(); ++i) {
        const std::string& name = content.tensors[i].first;
        const std::uint64_t end = offset + tensors[i].nbytes();
        header[name] = {{"dtype", type_name(name, tensors[i].scalar_type())},
                        {"shape", tensors[i].sizes().vec()},
                        {"data_offsets", {offset, end}}};
        offset = end;
    }
    // Free text may hold bytes that are no UTF-8: they become replacement characters.
    std::string text = header.dump(-1, ' ', false, Json::error_handler_t::replace);
    text.append((kLengthBytes - text.size() % kLengthBytes) % kLengthBytes, ' ');
    return text;
}

/// One tensor as the header describes it, not yet checked against the data.
struct Entry {
    std::string name;
    at::ScalarType type = at::kFloat;
    std::vector<std::int64_t> shape;
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
};

std::uint64_t read_length(const std::string& bytes) {
    std::uint64_t length = 0;
    std::memcpy(&length, bytes.data(), kLengthBytes);
    return length;
}

Json parse_header(const std::string& bytes, const std::string& file) {
    if (bytes.size() < kLengthBytes) {
        throw_bad_file(file, "the file has " + std::to_string(bytes.size()) + " bytes, too few");
    }
    const std::uint64_t length = read_length(bytes);
    if (length > kMaximumHeader || length > bytes.size() - kLengthBytes) {
        throw_bad_file(file, "the header length " + std::to_string(length) + " is beyond the file");
    }
    std::set<std::string> keys;
    bool is_unique = true;
    const auto watch = [&](int depth, Json::parse_event_t event, Json& value) {
        if (depth == 1 && event == Json::parse_event_t::key) {
            is_unique = keys.insert(value.get<std::string>()).second && is_unique;
        }
        return true;
    };
    const char* begin = bytes.data() + kLengthBytes;
    Json header = Json::parse(begin, begin + length, watch, false);
    if (!header.is_object()) {
        throw_bad_file(file, "the header is no JSON object");
    }
    if (!is_unique) {
        throw_bad_file(file, "the header names something twice");
    }
    return header;
}

/// A JSON number that is a non-negative integer.
bool is_count(const Json& value) {
    return value.is_number_unsigned();
}

Entry parse_entry(const std::string& name, const Json& value, const std::string& file) {
    const auto require = [&](bool condition, const char* what) {
        if (!condition) {
            throw_bad_file(file, "tensor '" + name + "': " + what);
        }
    };
    require(value.is_object() && value.size() == 3 && value.contains("dtype") &&
                value.contains("shape") && value.contains("data_offsets"),
            "needs exactly dtype, shape and data_offsets");
    Entry entry;
    entry.name = name;
    const Json& dtype = value["dtype"];
    require(dtype.is_string(), "dtype is no text");
    const auto* type = std::find_if(kTypes.begin(), kTypes.end(), [&](const TypeName& known) {
        return known.name == dtype.get_ref<const std::string&>();
    });
    require(type != kTypes.end(), "unknown dtype");
    entry.type = type->type;
    const Json& shape = value["shape"];
    require(shape.is_array() && shape.size() <= kMaximumRank &&
                std::all_of(shape.begin(), shape.end(), is_count),
            "shape is no list of at most 8 sizes");
    for (const Json& size : shape) {
        const auto wide = size.get<std::uint64_t>();
        require(wide <= (std::uint64_t{1} << 40), "a size is too large");
        entry.shape.push_back(static_cast<std::int64_t>(wide));
    }
    const Json& offsets = value["data_offsets"];
    require(
        offsets.is_array() && offsets.size() == 2 && is_count(offsets[0]) && is_count(offsets[1]),
        "data_offsets are no two numbers");
    entry.begin = offsets[0].get<std::uint64_t>();
    entry.end = offsets[1].get<std::uint64_t>();
    return entry;
}

/// Bytes of the entry by dtype and shape; `limit` + 1 when more than `limit`.
std::uint64_t size_of(const Entry& entry, std::uint64_t limit) {
    const bool is_empty = std::find(entry.shape.begin(), entry.shape.end(), 0) != entry.shape.end();
    std::uint64_t size = is_empty ? 0 : c10::elementSize(entry.type);
    for (const std::int64_t dimension : entry.shape) {
        const auto factor = static_cast<std::uint64_t>(dimension);
        if (size != 0 && factor > limit / size) {
            return limit + 1;
        }
        size *= factor;
    }
    return size;
}

/// The data is covered without gap or overlap, each part as large as its tensor.
void check_layout(const std::vector<Entry>& entries, std::uint64_t size, const std::string& file) {
    std::uint64_t position = 0;
    for (const Entry& entry : entries) {
        if (entry.begin != position || entry.end < entry.begin || entry.end > size) {
            throw_bad_file(file,
                           "tensor '" + entry.name + "': offsets " + std::to_string(entry.begin) +
                               " to " + std::to_string(entry.end) +
                               " leave a gap, overlap or pass the end at " + std::to_string(size));
        }
        if (size_of(entry, size) != entry.end - entry.begin) {
            throw_bad_file(file,
                           "tensor '" + entry.name +
                               "': " + std::to_string(entry.end - entry.begin) +
                               " bytes do not fit its dtype and shape");
        }
        position = entry.end;
    }
    if (position != size) {
        throw_bad_file(file, "data goes on after the last tensor");
    }
}

std::map<std::string, std::string> parse_metadata(const Json& header, const std::string& file) {
    std::map<std::string, std::string> result;
    if (!header.contains("__metadata__")) {
        return result;
    }
    const Json& metadata = header["__metadata__"];
    const bool is_text = metadata.is_object() &&
                         std::all_of(metadata.begin(), metadata.end(), [](const Json& value) {
                             return value.is_string();
                         });
    if (!is_text) {
        throw_bad_file(file, "__metadata__ is no table of texts");
    }
    for (const auto& [key, value] : metadata.items()) {
        result[key] = value.get<std::string>();
    }
    return result;
}

at::Tensor read_tensor(const Entry& entry, const char* data) {
    at::Tensor tensor = at::empty(entry.shape, at::TensorOptions(entry.type));
    if (entry.end > entry.begin) {
        std::memcpy(tensor.data_ptr(), data + entry.begin, entry.end - entry.begin);
    }
    return tensor;
}

}  // namespace

void throw_bad_file(const std::string& file, const std::string& what) {
    throw Error("network/bad-file",
                "'" + file + "' is no usable network: " + what,
                file,
                "take a file written by topress");
}

std::string pack(const SafeTensors& content) {
    const auto tensors = to_storable(content);
    const std::string header = make_header(content, tensors);
    const std::uint64_t length = header.size();
    std::string bytes(kLengthBytes, '\0');
    std::memcpy(bytes.data(), &length, kLengthBytes);
    std::size_t total = kLengthBytes + header.size();
    for (const at::Tensor& tensor : tensors) {
        total += tensor.nbytes();
    }
    bytes.reserve(total);
    bytes += header;
    for (const at::Tensor& tensor : tensors) {
        bytes.append(static_cast<const char*>(tensor.const_data_ptr()), tensor.nbytes());
    }
    return bytes;
}

SafeTensors unpack(const std::string& bytes, const std::string& file) {
    const Json header = parse_header(bytes, file);
    const std::size_t data_begin = kLengthBytes + static_cast<std::size_t>(read_length(bytes));
    std::vector<Entry> entries;
    for (const auto& [name, value] : header.items()) {
        if (name != "__metadata__") {
            entries.push_back(parse_entry(name, value, file));
        }
    }
    std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
        return std::tie(a.begin, a.end, a.name) < std::tie(b.begin, b.end, b.name);
    });
    check_layout(entries, bytes.size() - data_begin, file);
    SafeTensors content;
    content.metadata = parse_metadata(header, file);
    for (const Entry& entry : entries) {
        content.tensors.emplace_back(entry.name, read_tensor(entry, bytes.data() + data_begin));
    }
    return content;
}

}  // namespace topress::network
