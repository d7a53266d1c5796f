// A fibre for one CUDA thread: Boost.Context with pooled stacks, announced to AddressSanitizer.
#pragma once

#include <boost/context/fiber.hpp>
#include <boost/context/protected_fixedsize_stack.hpp>

#include <cstddef>
#include <exception>
#include <functional>
#include <vector>

namespace topress::testkit {

/// Stacks that fibres of one block after another use again: mapping memory is what fibres cost.
class StackPool {
  public:
    ~StackPool();
    boost::context::stack_context take();
    void give(boost::context::stack_context stack);

  private:
    std::vector<boost::context::stack_context> free_;
};

/// One resumable call of a function.
/// Requires: the pool and the function outlive it; it is finished or abandoned before it dies.
class Fibre {
  public:
    Fibre(StackPool& pool, const std::function<void()>& body);
    ~Fibre();
    Fibre(const Fibre&) = delete;
    Fibre& operator=(const Fibre&) = delete;

    /// Runs until the body suspends or ends. Called by the scheduler.
    void resume();

    /// Back to the scheduler. Called from inside the body.
    /// Throws: an internal exception that ends the body when the fibre is being abandoned.
    void suspend();

    /// Ends a suspended body: its stack is unwound, its destructors run.
    void abandon();

    [[nodiscard]] bool is_finished() const noexcept { return finished_; }

    /// What the body threw, or null.
    [[nodiscard]] std::exception_ptr error() const noexcept { return error_; }

  private:
    boost::context::fiber run(boost::context::fiber&& scheduler);

    StackPool& pool_;
    const std::function<void()>& body_;
    boost::context::stack_context stack_;
    boost::context::fiber self_;       // where the body stands, while the scheduler runs
    boost::context::fiber scheduler_;  // where the scheduler stands, while the body runs
    bool finished_ = false;
    bool abandoned_ = false;
    std::exception_ptr error_;
    // What AddressSanitizer has to know about the two stacks.
    void* fibre_fake_stack_ = nullptr;
    void* scheduler_fake_stack_ = nullptr;
    const void* scheduler_bottom_ = nullptr;
    std::size_t scheduler_size_ = 0;
};

}  // namespace topress::testkit
