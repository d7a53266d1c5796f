// Who could have changed a file before it is opened: owners, permissions and links on the way to
// it.
#pragma once

#include "plugin/refusal.hpp"

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace topress::plugin {

/// Whom a file may belong to.
struct TrustPolicy {
    /// Root, the effective user, and the owners of "/" and of the program: each of them decides
    /// already what runs here.
    std::vector<uid_t> owners;
    /// True for a group that has no other member than the effective user: many systems give each
    /// user such a group, and new files permissions for it.
    std::function<bool(gid_t)> is_private_group;

    /// The policy of the running process.
    [[nodiscard]] static TrustPolicy of_process();
};

/// Where a path leads once every link is followed, and what speaks against what lies there.
struct TrustVerdict {
    std::filesystem::path resolved;  ///< empty: it leads nowhere
    std::optional<Refusal> refusal;  ///< plugin/foreign-owner or plugin/writable-by-others
};

/// Looks at every name between "/" and a file, following links one by one. Remembers folders: a
/// thousand files of one folder cost a thousand file looks. Thread: one.
class TrustChecker {
  public:
    explicit TrustChecker(TrustPolicy policy) : policy_(std::move(policy)) {}

    /// A folder, and all above it: owned by somebody trusted, writable by nobody else. Folders
    /// above it may be writable by others when they are sticky, as /tmp is: there nobody can
    /// replace what is not his. Requires: absolute.
    [[nodiscard]] TrustVerdict check_folder(const std::filesystem::path& folder);

    /// A file and the folders it is in, those of its links too. Requires: absolute.
    [[nodiscard]] TrustVerdict check_file(const std::filesystem::path& file);

  private:
    [[nodiscard]] TrustVerdict walk(const std::filesystem::path& path);

    TrustPolicy policy_;
    std::map<std::filesystem::path, TrustVerdict> folders_;
};

/// The refusal of a file that a search folder only links to, when its target is in none of the
/// search folders: plugin/link-outside. All paths without links.
[[nodiscard]] std::optional<Refusal> check_link_target(
    const std::filesystem::path& target, const std::vector<std::filesystem::path>& folders);

}  // namespace topress::plugin
