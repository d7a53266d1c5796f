// Lazily made views of one plugin file.
#include "conformance/subject.hpp"

#include "base/error.hpp"
#include "conformance/host_observer.hpp"
#include "plugin/host_fingerprint.hpp"

#include <cstdlib>

namespace topress::conformance {

namespace fs = std::filesystem;

Subject::Subject(const fs::path& file, std::uint64_t seed)
    : file_(fs::absolute(file).lexically_normal()),
      seed_(seed),
      entry_(plugin::examine_plugin(file_, plugin::host_fingerprint())) {}

Subject::~Subject() {
    if (!scratch_.empty()) {
        std::error_code ignored;
        fs::remove_all(scratch_, ignored);
    }
}

const std::vector<plugin::TechniqueMetadata>& Subject::techniques() const {
    if (!entry_.metadata) {
        throw Error("plugin/bad-metadata", "the metadata cannot be read: see 'metadata-parses'");
    }
    return entry_.metadata->techniques;
}

const plugin::FileImage& Subject::image() const {
    if (!image_) {
        image_ = plugin::read_file_image(file_);
    }
    return *image_;
}

const plugin::Library& Subject::library() const {
    if (!library_) {
        library_ = plugin::Library::load(entry_, observed_host(), plugin::host_fingerprint());
    }
    return *library_;
}

const std::vector<plugin::CatalogEntry>& Subject::bundled() const {
    if (!bundled_) {
        bundled_.emplace();
        const auto found =
            plugin::find_plugins(plugin::standard_search_paths({}, {}), plugin::host_fingerprint());
        for (const plugin::CatalogEntry& entry : found.entries) {
            const bool is_this =
                entry.metadata && entry_.metadata && entry.metadata->id == entry_.metadata->id;
            if (entry.is_bundled() && entry.is_active() && !is_this) {
                bundled_->push_back(entry);
            }
        }
    }
    return *bundled_;
}

const fs::path& Subject::scratch() const {
    if (scratch_.empty()) {
        std::string name = (fs::temp_directory_path() / "topress-check-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) {
            throw Error("file/cannot-write", "no temporary folder can be made", name);
        }
        scratch_ = name;
    }
    return scratch_;
}

}  // namespace topress::conformance
