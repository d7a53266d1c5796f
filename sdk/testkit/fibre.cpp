// Fibres: switching between the scheduler's stack and the stack of a CUDA thread.
#include "fibre.hpp"

#include <boost/context/preallocated.hpp>

#include <memory>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

namespace topress::testkit {
namespace {

// Kernels have small frames; AddressSanitizer triples them. Only touched pages cost memory.
constexpr std::size_t kStackBytes = 256 * 1024;

constexpr std::size_t kTopFramesBytes = 4096;

struct Abandoned {};  // ends a body that will never be resumed

// Boost gives the stack back through this; the pool does it instead, when the Fibre dies.
struct KeepStack {
    void deallocate(boost::context::stack_context&) const noexcept {}
};

#if defined(__SANITIZE_ADDRESS__)
void leave_stack(void** own_fake_stack, const void* bottom, std::size_t size) {
    __sanitizer_start_switch_fiber(own_fake_stack, bottom, size);
}

void enter_stack(void* own_fake_stack, const void** bottom_left, std::size_t* size_left) {
    __sanitizer_finish_switch_fiber(own_fake_stack, bottom_left, size_left);
}

void forget_poison(const void* bottom, std::size_t size) {
    __asan_unpoison_memory_region(bottom, size);
}
#else
void leave_stack(void**, const void*, std::size_t) {}

void enter_stack(void*, const void**, std::size_t*) {}

void forget_poison(const void*, std::size_t) {}
#endif

const void* bottom_of(const boost::context::stack_context& stack) {
    return static_cast<const char*>(stack.sp) - stack.size;
}

}  // namespace

StackPool::~StackPool() {
    boost::context::protected_fixedsize_stack allocator(kStackBytes);
    for (boost::context::stack_context& stack : free_) {
        allocator.deallocate(stack);
    }
}

boost::context::stack_context StackPool::take() {
    if (free_.empty()) {
        return boost::context::protected_fixedsize_stack(kStackBytes).allocate();
    }
    const boost::context::stack_context stack = free_.back();
    free_.pop_back();
    return stack;
}

void StackPool::give(boost::context::stack_context stack) {
    free_.push_back(stack);
}

Fibre::Fibre(StackPool& pool, const std::function<void()>& body)
    : pool_(pool), body_(body), stack_(pool.take()) {
    const boost::context::preallocated place(stack_.sp, stack_.size, stack_);
    self_ = boost::context::fiber(
        std::allocator_arg, place, KeepStack{}, [this](boost::context::fiber&& scheduler) {
            return run(std::move(scheduler));
        });
}

Fibre::~Fibre() {
    // Frames that returned took their poison with them. The topmost ones, of Boost, never return;
    // of an abandoned body others may be left too.
    std::size_t poisoned_bytes = kTopFramesBytes;
    if (!finished_) {
        abandon();
        poisoned_bytes = stack_.size;
    }
    forget_poison(static_cast<const char*>(stack_.sp) - poisoned_bytes, poisoned_bytes);
    pool_.give(stack_);
}

void Fibre::resume() {
    leave_stack(&scheduler_fake_stack_, bottom_of(stack_), stack_.size);
    self_ = std::move(self_).resume();
    enter_stack(scheduler_fake_stack_, nullptr, nullptr);
}

void Fibre::suspend() {
    leave_stack(&fibre_fake_stack_, scheduler_bottom_, scheduler_size_);
    scheduler_ = std::move(scheduler_).resume();
    enter_stack(fibre_fake_stack_, &scheduler_bottom_, &scheduler_size_);
    if (abandoned_) {
        throw Abandoned{};
    }
}

void Fibre::abandon() {
    abandoned_ = true;
    resume();
}

boost::context::fiber Fibre::run(boost::context::fiber&& scheduler) {
    enter_stack(nullptr, &scheduler_bottom_, &scheduler_size_);
    scheduler_ = std::move(scheduler);
    try {
        if (!abandoned_) {
            body_();
        }
    } catch (const Abandoned&) {
    } catch (...) {
        error_ = std::current_exception();
    }
    finished_ = true;
    leave_stack(nullptr, scheduler_bottom_, scheduler_size_);  // null: this stack is done
    return std::move(scheduler_);
}

}  // namespace topress::testkit
