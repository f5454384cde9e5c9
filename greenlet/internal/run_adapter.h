#ifndef VERDANT_GREENLET_INTERNAL_RUN_ADAPTER_H_
#define VERDANT_GREENLET_INTERNAL_RUN_ADAPTER_H_

#include <any>
#include <concepts>
#include <functional>
#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>

namespace verdant::internal {

// The parameters of something with one way to be called.
template <typename F>
struct ParametersOf : ParametersOf<decltype(&F::operator())> {};
template <typename R, typename... Args>
struct ParametersOf<R (*)(Args...)> {
  using Type = std::tuple<std::decay_t<Args>...>;
};
template <typename R, typename... Args>
struct ParametersOf<R (*)(Args...) noexcept> : ParametersOf<R (*)(Args...)> {};
template <typename R, typename C, typename... Args>
struct ParametersOf<R (C::*)(Args...)> : ParametersOf<R (*)(Args...)> {};
template <typename R, typename C, typename... Args>
struct ParametersOf<R (C::*)(Args...) const> : ParametersOf<R (*)(Args...)> {};
template <typename R, typename C, typename... Args>
struct ParametersOf<R (C::*)(Args...) noexcept> : ParametersOf<R (*)(Args...)> {};
template <typename R, typename C, typename... Args>
struct ParametersOf<R (C::*)(Args...) const noexcept> : ParametersOf<R (*)(Args...)> {};

// Calls `f` with what the first switch carries: the std::any itself if it takes that, nothing if it
// takes nothing, and else what its parameters say is in there, which throws std::bad_any_cast when
// it is not.
template <typename F>
decltype(auto) CallWithAny(F& f, std::any value) {
  if constexpr (std::is_invocable_v<F&, std::any>) {
    return f(std::move(value));
  } else if constexpr (std::is_invocable_v<F&>) {
    return f();
  } else {
    using Arguments = typename ParametersOf<F>::Type;
    if constexpr (std::tuple_size_v<Arguments> == 1) {
      return f(std::any_cast<std::tuple_element_t<0, Arguments>>(std::move(value)));
    } else {
      return std::apply(f, std::any_cast<Arguments>(std::move(value)));
    }
  }
}

template <typename F>
concept Nullable = requires(const F& f) {
  { f == nullptr } -> std::convertible_to<bool>;
};

// std::function wants copyable targets, and a greenlet's closure is called once, from one place.
template <typename F>
std::function<std::any(std::any)> AdaptRun(F&& f) {
  auto shared = std::make_shared<std::decay_t<F>>(std::forward<F>(f));
  return [shared = std::move(shared)](std::any value) -> std::any {
    if constexpr (std::is_void_v<decltype(CallWithAny(*shared, std::move(value)))>) {
      CallWithAny(*shared, std::move(value));
      return {};
    } else {
      return std::any(CallWithAny(*shared, std::move(value)));
    }
  };
}

}  // namespace verdant::internal

#endif  // VERDANT_GREENLET_INTERNAL_RUN_ADAPTER_H_
