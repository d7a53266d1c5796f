// Entries: writing, reading back, and not believing what the hash does not cover.
#include "pipeline/cache_entry.hpp"

#include "base/error.hpp"
#include "base/files.hpp"
#include "network/serialize.hpp"
#include "pipeline/sealed_bytes.hpp"

#include <algorithm>
#include <fstream>
#include <string_view>

namespace topress::pipeline {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kKind = "stage";

Json describe(const CacheEntry& entry, std::size_t network_bytes) {
    Json json;
    json["key"] = entry.key;
    json["created"] = entry.created;
    json["program"] = entry.program;
    json["network_bytes"] = network_bytes;
    json["artefacts"] = Json::array();
    for (const Artefact& artefact : entry.artefacts) {
        json["artefacts"].push_back({{"name", artefact.name}, {"bytes", artefact.bytes.size()}});
    }
    json["stage"] = to_json(entry.stage);
    return json;
}

/// Takes bytes off the front.
class Pieces {
  public:
    explicit Pieces(std::string_view rest) : rest_(rest) {}

    std::string_view take(std::size_t count) {
        if (count > rest_.size()) {
            throw damaged_entry("it ends too early");
        }
        const std::string_view piece = rest_.substr(0, count);
        rest_.remove_prefix(count);
        return piece;
    }

    std::string_view take_line() {
        const std::string_view line = take(std::min(rest_.find('\n'), rest_.size()));
        take(1);
        return line;
    }

    void require_end() const {
        if (!rest_.empty()) {
            throw damaged_entry("it does not end where it should");
        }
    }

  private:
    std::string_view rest_;
};

/// No name may lead out of the folder that artefacts are put into.
bool is_safe(const std::string& name) {
    const fs::path path(name);
    return !name.empty() && path.is_relative() && path.lexically_normal() == path &&
           *path.begin() != "..";
}

CacheEntry read_payload(std::string_view payload, const std::string& key) {
    Pieces pieces(payload);
    const Json json = Json::parse(pieces.take_line());
    CacheEntry entry;
    entry.key = json.at("key").get<std::string>();
    if (entry.key != key) {
        throw damaged_entry("it belongs to another key");
    }
    entry.created = json.at("created").get<double>();
    entry.program = json.at("program").get<std::string>();
    const std::string network(pieces.take(json.at("network_bytes").get<std::size_t>()));
    for (const Json& artefact : json.at("artefacts")) {
        Artefact piece{artefact.at("name").get<std::string>(),
                       std::string(pieces.take(artefact.at("bytes").get<std::size_t>()))};
        if (!is_safe(piece.name)) {
            throw damaged_entry("an artefact has the name '" + piece.name + "'");
        }
        entry.artefacts.push_back(std::move(piece));
    }
    pieces.require_end();
    entry.stage =
        checkpoint_from_json(json.at("stage"), network::from_bytes(network, "a cached stage"));
    return entry;
}

}  // namespace

std::string to_bytes(const CacheEntry& entry) {
    const std::string network = network::to_bytes(entry.stage.network);
    std::string payload =
        describe(entry, network.size()).dump(-1, ' ', false, Json::error_handler_t::replace);
    payload.append("\n").append(network);
    for (const Artefact& artefact : entry.artefacts) {
        payload += artefact.bytes;
    }
    return seal(kKind, payload);
}

CacheEntry cache_entry_from_bytes(const std::string& bytes, const std::string& key) {
    try {
        return read_payload(unseal(kKind, bytes), key);
    } catch (const Json::exception& error) {
        throw damaged_entry(error.what());
    } catch (const Error& error) {
        if (error.code() == "cache/damaged") {
            throw;
        }
        throw damaged_entry(error.what());
    }
}

std::optional<CacheEntryHead> read_head(const fs::path& file) {
    std::ifstream stream(file, std::ios::binary);
    std::string line;
    if (!std::getline(stream, line) || !is_seal(kKind, line) || !std::getline(stream, line)) {
        return std::nullopt;
    }
    try {
        const Json json = Json::parse(line);
        return CacheEntryHead{json.at("created").get<double>(),
                              json.at("program").get<std::string>(),
                              row_from_json(json.at("stage").at("row"))};
    } catch (const Json::exception&) {
        return std::nullopt;
    }
}

std::vector<Artefact> read_artefacts(const fs::path& folder) {
    std::vector<Artefact> artefacts;
    std::error_code none;
    if (!fs::is_directory(folder, none)) {
        return artefacts;
    }
    for (const fs::directory_entry& item : fs::recursive_directory_iterator(folder)) {
        if (fs::is_regular_file(item.symlink_status())) {
            artefacts.push_back(
                {item.path().lexically_relative(folder).generic_string(), read_file(item.path())});
        }
    }
    std::ranges::sort(artefacts, {}, &Artefact::name);
    return artefacts;
}

void write_artefacts(const std::vector<Artefact>& artefacts, const fs::path& folder) {
    for (const Artefact& artefact : artefacts) {
        const fs::path file = folder / artefact.name;
        std::error_code ignored;  // the write below says what is wrong
        fs::create_directories(file.parent_path(), ignored);
        write_file_atomically(file, artefact.bytes);
    }
}

}  // namespace topress::pipeline
