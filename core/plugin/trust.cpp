// The walk from "/" to a file. What others can change there, they can make this process run.
#include "plugin/trust.hpp"

#include <algorithm>
#include <cerrno>
#include <deque>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

namespace topress::plugin {

namespace {

namespace fs = std::filesystem;

constexpr int kMostLinks = 40;  // as many as the kernel follows

std::string user_name(uid_t user) {
    const passwd* entry = ::getpwuid(user);
    std::string text = entry == nullptr ? "user " : "'";
    return entry == nullptr ? text + std::to_string(user) : text.append(entry->pw_name).append("'");
}

std::string mode_text(mode_t mode) {
    constexpr char kDigits[] = "01234567";
    std::string text = "mode ";
    for (const int shift : {9, 6, 3, 0}) {
        text += kDigits[(mode >> shift) & 7U];
    }
    return text;
}

// A user's own group by the usual convention: same name as the user, nobody else in it.
bool is_private_group_of(uid_t user, gid_t group) {
    const passwd* owner = ::getpwuid(user);
    if (owner == nullptr || owner->pw_gid != group) {
        return false;
    }
    const std::string name = owner->pw_name;
    const struct group* entry = ::getgrgid(group);
    if (entry == nullptr || name != entry->gr_name) {
        return false;
    }
    for (char** member = entry->gr_mem; *member != nullptr; ++member) {
        if (name != *member) {
            return false;
        }
    }
    return true;
}

const char* kind_of(const struct stat& facts) {
    return S_ISLNK(facts.st_mode) ? "link" : S_ISDIR(facts.st_mode) ? "folder" : "file";
}

Refusal foreign_owner(const fs::path& path, const struct stat& facts) {
    return {
        "plugin/foreign-owner",
        std::string("the ") + kind_of(facts) + " '" + path.string() + "' belongs to another user",
        "owner " + user_name(facts.st_uid),
        "owned by you, by root, or by the owner of topress",
        "whoever owns a plugin, or a folder on the way to it, decides what runs with your "
        "rights",
        "copy the plugin into a folder of your own"};
}

Refusal writable_by_others(const fs::path& path, const struct stat& facts) {
    const bool is_shared_folder = S_ISDIR(facts.st_mode) && (facts.st_mode & S_ISVTX) != 0;
    return {"plugin/writable-by-others",
            std::string("the ") + kind_of(facts) + " '" + path.string() +
                "' can be written by other users",
            mode_text(facts.st_mode),
            "no write permission for group and others",
            "whoever can write a plugin, or its folder, decides what runs with your rights",
            is_shared_folder ? "move the plugin into a folder of its own below it, for example "
                               "made with: mkdir -m 755 plugins"
                             : "take the permission away: chmod go-w '" + path.string() + "'"};
}

bool is_writable_by_others(const struct stat& facts, const TrustPolicy& policy) {
    const bool by_group = (facts.st_mode & S_IWGRP) != 0 &&
                          !(policy.is_private_group && policy.is_private_group(facts.st_gid));
    return by_group || (facts.st_mode & S_IWOTH) != 0;
}

std::optional<Refusal> check_owner(const fs::path& path,
                                   const struct stat& facts,
                                   const TrustPolicy& policy) {
    const auto& owners = policy.owners;
    return std::find(owners.begin(), owners.end(), facts.st_uid) == owners.end()
               ? std::optional(foreign_owner(path, facts))
               : std::nullopt;
}

// What is allowed to be a sticky folder that everybody may write: the folders above that of a
// plugin, not its own, where others could put a library that the plugin asks for.
std::optional<Refusal> check_one(const fs::path& path,
                                 const struct stat& facts,
                                 const TrustPolicy& policy,
                                 bool may_be_sticky) {
    if (auto refusal = check_owner(path, facts, policy)) {
        return refusal;
    }
    const bool is_excused =
        S_ISLNK(facts.st_mode) ||  // the permissions of a link mean nothing
        (may_be_sticky && S_ISDIR(facts.st_mode) && (facts.st_mode & S_ISVTX) != 0);
    return !is_excused && is_writable_by_others(facts, policy)
               ? std::optional(writable_by_others(path, facts))
               : std::nullopt;
}

void prepend(std::deque<fs::path>& names, const fs::path& path) {
    const fs::path relative = path.relative_path();
    names.insert(names.begin(), relative.begin(), relative.end());
}

}  // namespace

TrustPolicy TrustPolicy::of_process() {
    TrustPolicy policy;
    const uid_t self = ::geteuid();
    policy.owners = {0, self};
    for (const char* path : {"/", "/proc/self/exe"}) {
        struct stat facts{};
        if (::stat(path, &facts) == 0) {
            policy.owners.push_back(facts.st_uid);
        }
    }
    policy.is_private_group = [self, known = std::map<gid_t, bool>()](gid_t group) mutable {
        const auto [found, is_new] = known.emplace(group, false);
        if (is_new) {
            found->second = is_private_group_of(self, group);
        }
        return found->second;
    };
    return policy;
}

TrustVerdict TrustChecker::walk(const fs::path& path) {
    TrustVerdict verdict;
    std::deque<fs::path> names;
    prepend(names, path);
    fs::path at = "/";
    struct stat facts{};
    for (int links = 0; !names.empty();) {
        const fs::path name = names.front();
        names.pop_front();
        if (name.empty() || name == ".") {
            continue;
        }
        if (name == "..") {
            at = at.parent_path();
            continue;
        }
        const fs::path next = at / name;
        if (::lstat(next.c_str(), &facts) != 0 || links > kMostLinks) {
            return verdict.refusal ? verdict : TrustVerdict{};
        }
        if (!verdict.refusal) {
            verdict.refusal = check_one(next, facts, policy_, true);
        }
        if (!S_ISLNK(facts.st_mode)) {
            at = next;
            continue;
        }
        std::error_code error;
        const fs::path target = fs::read_symlink(next, error);
        ++links;
        at = target.is_absolute() ? fs::path("/") : at;
        prepend(names, target);
    }
    verdict.resolved = at;
    return verdict;
}

TrustVerdict TrustChecker::check_folder(const fs::path& folder) {
    const auto known = folders_.find(folder);
    if (known != folders_.end()) {
        return known->second;
    }
    TrustVerdict verdict = walk(folder);
    struct stat facts{};
    if (!verdict.refusal && !verdict.resolved.empty() &&
        ::lstat(verdict.resolved.c_str(), &facts) == 0) {
        verdict.refusal = check_one(verdict.resolved, facts, policy_, false);
    }
    folders_.emplace(folder, verdict);
    return verdict;
}

TrustVerdict TrustChecker::check_file(const fs::path& file) {
    TrustVerdict folder = check_folder(file.parent_path());
    if (folder.refusal || folder.resolved.empty()) {
        return folder;
    }
    const fs::path name = folder.resolved / file.filename();
    struct stat facts{};
    if (::lstat(name.c_str(), &facts) != 0) {
        return {};
    }
    if (!S_ISLNK(facts.st_mode)) {
        return {name, check_one(name, facts, policy_, false)};
    }
    TrustVerdict target = walk(name);
    if (!target.refusal && !target.resolved.empty()) {
        target.refusal = check_folder(target.resolved.parent_path()).refusal;
    }
    return target;
}

std::optional<Refusal> check_link_target(const fs::path& target,
                                         const std::vector<fs::path>& folders) {
    const auto is_inside = [&](const fs::path& folder) {
        const auto [rest, ignored] =
            std::mismatch(folder.begin(), folder.end(), target.begin(), target.end());
        return rest == folder.end();
    };
    if (std::any_of(folders.begin(), folders.end(), is_inside)) {
        return std::nullopt;
    }
    return Refusal{"plugin/link-outside",
                   "the plugin is a link that leads out of the plugin folders",
                   "it leads to '" + target.string() + "'",
                   "a file inside one of the folders that are searched",
                   "only files in the plugin folders are plugins",
                   "copy the plugin into the folder, or name the target itself with --plugin-path"};
}

}  // namespace topress::plugin
