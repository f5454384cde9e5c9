#ifndef VERDANT_GREENLET_TYPED_GREENLET_H_
#define VERDANT_GREENLET_TYPED_GREENLET_H_

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

#include "greenlet/greenlet.h"
#include "greenlet/source_location.h"

namespace verdant {

template <typename Signature>
class TypedGreenlet;

// A greenlet whose types are fixed: each Switch() sends In... and brings back an Out. It answers
// whoever switched to it last, so it is a generator, or a conversation, that any greenlet may go on
// with. Nothing is boxed: values are moved straight from one stack to the other. Rows C3, C4.
//
//   verdant::TypedGreenlet<int()> squares([](auto& caller) {
//     for (int i = 0; i < 3; ++i) caller.Switch(i * i);
//   });
//   while (std::optional<int> square = squares.Switch()) Use(*square);   // 0, 1, 4
//
//   verdant::TypedGreenlet<double(double)> average([](auto& caller, double first) {
//     double sum = first;
//     for (int n = 1;; ++n) sum += caller.Switch(sum / n);
//   });
//   average.Switch(10);   // 10
//   average.Switch(20);   // 15
//
// The body is called as body(caller, In...), or body(caller) if it does not want the first values,
// at the first Switch(). It may return an Out, its last answer, or nothing. An exception that
// leaves it is thrown by the Switch() that it was to answer.
//
// Threading, the last handle's unwinding and everything else are Greenlet's; handles are copyable.
template <typename Out, typename... In>
class TypedGreenlet<Out(In...)> {
  static_assert(!std::is_reference_v<Out> && !(std::is_reference_v<In> || ...),
                "values are moved between stacks: pass pointers to share something");

 public:
  using Options = GreenletOptions;
  // What Switch() returns: an answer, or nothing when the body has ended without one. Of a
  // TypedGreenlet<void(...)>: whether it has not ended.
  using Answer = std::conditional_t<std::is_void_v<Out>, bool, std::optional<Out>>;
  // What the body's Switch() returns: nothing, the value, or a std::tuple of several.
  using Question = std::conditional_t<
      sizeof...(In) == 0, void,
      std::conditional_t<sizeof...(In) == 1, std::tuple_element_t<0, std::tuple<In..., void>>,
                         std::tuple<In...>>>;

  // Whoever resumes the body, as the body sees them.
  class Caller {
   public:
    Caller(const Caller&) = delete;
    Caller& operator=(const Caller&) = delete;

    // Answers, suspends the body, and returns what the next Switch() sends; throws what is thrown
    // into it, and std::logic_error if it is resumed by untyped() without values.
    template <typename... Answered>
    requires(std::is_void_v<Out> ? sizeof...(Answered) == 0
                                 : sizeof...(Answered) == 1 &&
                                       (std::is_convertible_v<Answered, Out> && ...)) Question
        Switch(Answered&&... answer) {
      Put(std::forward<Answered>(answer)...);
      Greenlet::Current().parent().Switch();
      if constexpr (sizeof...(In) == 1) {
        return std::get<0>(std::move(Received()));
      } else if constexpr (sizeof...(In) > 1) {
        return std::move(Received());
      }
    }

   private:
    friend class TypedGreenlet;
    Caller() = default;

    template <typename... Answered>
    void Put([[maybe_unused]] Answered&&... answer) {
      if constexpr (std::is_void_v<Out>) {
        if (answer_ != nullptr) *answer_ = true;
      } else {
        if (answer_ != nullptr) answer_->emplace(std::forward<Answered>(answer)...);
      }
      answer_ = nullptr;
    }
    std::tuple<In...>& Received() {
      if (question_ == nullptr) {
        throw std::logic_error("TypedGreenlet: resumed without the values that it expects");
      }
      return *std::exchange(question_, nullptr);
    }

    // On the stack of the Switch() under way.
    std::tuple<In...>* question_ = nullptr;
    Answer* answer_ = nullptr;
  };

  // An empty handle.
  TypedGreenlet() = default;

  template <typename F>
  requires(!std::is_same_v<std::remove_cvref_t<F>, TypedGreenlet>) explicit TypedGreenlet(
      F&& body, Options options = {}, SourceLocation site = SourceLocation::current())
      : caller_(new Caller),
        greenlet_(Body<std::decay_t<F>>{caller_, std::forward<F>(body)}, std::move(options), site) {
  }

  // Resumes it. Once it has ended there are no more answers: an empty one, or false, comes back at
  // once. Throws what leaves the body; std::logic_error if it is running already, directly or
  // further up, or for any reason that Greenlet::Switch() has.
  Answer Switch(In... values) const {
    if (!greenlet_) throw std::logic_error("TypedGreenlet: an empty handle cannot be switched to");
    if (greenlet_.dead()) return Answer();
    if (caller_->answer_ != nullptr) {
      throw std::logic_error("TypedGreenlet '" + greenlet_.name() + "' is running already");
    }
    const Greenlet& current = Greenlet::Current();
    if (!(greenlet_.parent() == current)) greenlet_.set_parent(current);
    std::tuple<In...> question(std::move(values)...);
    Answer answer = Answer();
    const Exchange exchange(*caller_, question, answer);
    greenlet_.Switch();
    return answer;
  }

  // The greenlet itself, to be thrown into, described, compared.
  const Greenlet& untyped() const { return greenlet_; }
  bool dead() const { return greenlet_.dead(); }
  explicit operator bool() const { return static_cast<bool>(greenlet_); }
  friend bool operator==(const TypedGreenlet& a, const TypedGreenlet& b) {
    return a.greenlet_ == b.greenlet_;
  }

 private:
  // What the greenlet runs.
  template <typename F>
  struct Body {
    std::shared_ptr<Caller> caller;
    F body;

    decltype(auto) Call() {
      if constexpr (std::is_invocable_v<F&, Caller&, In...>) {
        return std::apply(
            [&](In&... values) -> decltype(auto) { return body(*caller, std::move(values)...); },
            caller->Received());
      } else {
        return body(*caller);
      }
    }
    void operator()() {
      if constexpr (std::is_void_v<decltype(Call())>) {
        Call();
      } else {
        caller->Put(Call());
      }
    }
  };

  // What one Switch() offers and awaits. Taken back however that ends: the body must not find it
  // when it is gone.
  class Exchange {
   public:
    Exchange(Caller& caller, std::tuple<In...>& question, Answer& answer) : caller_(caller) {
      caller.question_ = &question;
      caller.answer_ = &answer;
    }
    Exchange(const Exchange&) = delete;
    ~Exchange() {
      caller_.question_ = nullptr;
      caller_.answer_ = nullptr;
    }

   private:
    Caller& caller_;
  };

  std::shared_ptr<Caller> caller_;
  Greenlet greenlet_;
};

}  // namespace verdant

#endif  // VERDANT_GREENLET_TYPED_GREENLET_H_
