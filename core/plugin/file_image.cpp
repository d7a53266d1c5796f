// One file, all readers.
#include "plugin/file_image.hpp"

namespace topress::plugin {

FileImage read_file_image(const std::filesystem::path& path) {
    try {
        const ElfFile file(ByteSource::from_file(path));
        return {file.source().size_bytes(),
                read_linkage(file),
                read_symbol_names(file),
                count_notes(file)};
    } catch (const FileRefused& refused) {
        throw to_error(refused.refusal, path.string());
    }
}

}  // namespace topress::plugin
