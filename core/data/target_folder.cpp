// Reads folders of pictures whose labels are numbers: the rows of targets.csv, in their order.
#include "base/error.hpp"
#include "data/formats.hpp"
#include "data/picture_files.hpp"
#include "data/target_table.hpp"

#include <ATen/ATen.h>

#include <filesystem>
#include <set>
#include <string>
#include <vector>

namespace topress::data {

namespace {

namespace fs = std::filesystem;

// A name that leads out of the folder would make the data set depend on what lies around it.
bool stays_inside(const fs::path& name) {
    const fs::path plain = name.lexically_normal();
    return !plain.empty() && !plain.is_absolute() && *plain.begin() != "..";
}

void refuse_unknown_pictures(const TargetTable& table, const fs::path& folder) {
    for (const TargetRow& row : table.rows) {
        std::error_code ignored;
        if (!stays_inside(row.file) || !fs::exists(folder / row.file, ignored)) {
            throw Error("data/bad-table",
                        "there is no picture '" + row.file + "' in '" + folder.string() + "'",
                        table.where(row.line),
                        "add the picture, or remove the row");
        }
    }
}

void refuse_missing_rows(const TargetTable& table, const fs::path& folder) {
    std::set<std::string> known;
    for (const TargetRow& row : table.rows) {
        known.insert(fs::path(row.file).lexically_normal().string());
    }
    for (const std::string& name : names_in(folder)) {
        if (is_picture_name(name) && known.count(name) == 0) {
            throw Error("data/bad-table",
                        "the picture '" + name + "' has no row",
                        table.where(table.rows.back().line),
                        "add a row for it, or remove the picture");
        }
    }
}

TargetTable read_table_of(const fs::path& folder) {
    TargetTable table = read_target_table(folder / kTargetFile);
    refuse_unknown_pictures(table, folder);
    refuse_missing_rows(table, folder);
    return table;
}

// What never changes cannot be learnt, and no share of its variance can be explained.
void refuse_constant_targets(const TargetTable& table) {
    for (std::size_t i = 0; i < table.targets.size(); ++i) {
        const double first = table.rows.front().numbers[i];
        bool varies = false;
        for (const TargetRow& row : table.rows) {
            varies = varies || row.numbers[i] != first;
        }
        if (!varies) {
            throw Error("data/bad-table",
                        "column '" + table.targets[i] + "' has the same number in every row",
                        table.where(table.rows.front().line),
                        "remove the column, or add pictures with other numbers");
        }
    }
}

Samples read_part(const TargetTable& table, PictureSize size, const PictureStore& store) {
    const auto count = static_cast<std::int64_t>(table.rows.size());
    const auto targets = static_cast<std::int64_t>(table.targets.size());
    std::vector<fs::path> paths;
    at::Tensor labels = at::empty({count, targets}, at::kFloat);
    auto* label = labels.mutable_data_ptr<float>();
    for (const TargetRow& row : table.rows) {
        paths.push_back(table.path.parent_path() / row.file);
        for (const double number : row.numbers) {
            *label++ = static_cast<float>(number);
        }
    }
    return {read_pictures(paths, size, store), labels};
}

}  // namespace

Dataset load_target_folder(const fs::path& folder, const PictureStore& store) {
    const TargetTable train = read_table_of(folder / "train");
    const TargetTable test = read_table_of(folder / "test");
    if (train.targets != test.targets) {
        throw Error("data/bad-table",
                    "the tables of train and test name different targets",
                    test.where(1),
                    "give both the same columns in the same order");
    }
    refuse_constant_targets(train);
    const PictureSize size = size_of_picture(train.path.parent_path() / train.rows.front().file);
    Dataset dataset;
    dataset.targets = train.targets;
    dataset.train = read_part(train, size, store);
    dataset.test = read_part(test, size, store);
    return dataset;
}

}  // namespace topress::data
