#ifndef VERDANT_GREENLET_CONTEXT_H_
#define VERDANT_GREENLET_CONTEXT_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include "greenlet/greenlet.h"
#include "greenlet/internal/fiber.h"
#include "greenlet/internal/variables.h"

namespace verdant {

// What the ContextVars are set to: request ids, deadlines, tracing spans, whatever should follow
// the work without being a parameter of everything. Row B14 (contextvars), C8 (gr_context),
// decision 20: a green thread and a plain greenlet start with the context of whoever spawns or
// constructs them, as it is then; from there on what either sets the other does not see. (greenlet
// and gevent start with an empty one.)
//
//   verdant::ContextVar<std::string> request_id("request id", "none");
//   void Handle(Request r) {
//     verdant::ContextVar<std::string>::Scope scope(request_id, r.id);
//     Spawn([] { Log(request_id.Get()); }).Wait();   // logs r.id
//   }
//
// A Context is an immutable map behind a counted pointer: to copy one, to take Current() and to
// inherit it costs one atomic increment however many variables there are, and nothing at all while
// none is set. To set a variable copies the map, so it costs a little for each that is set. Values
// are shared between contexts and threads: they are const, and destroyed with the last context that
// has them, wherever that is. A Context may be copied to other threads; each object is for one
// thread at a time. A thread starts with an empty context, and a hub callback runs in the hub's
// own: use Run() there, and for work handed to a thread.
class Context {
 public:
  // An empty one: every variable has its default.
  Context() = default;
  Context(const Context& other) noexcept : map_(other.map_) {}
  Context(Context&& other) noexcept : map_(std::move(other.map_)) {}
  Context& operator=(Context other) noexcept {
    std::swap(map_, other.map_);
    return *this;
  }

  // The caller's, as it is now: what is set later does not change it.
  static Context Current() {
    internal::VariableMap* map = internal::CurrentVariables();
    if (map != nullptr) internal::VariableMap::Ref(map);
    return Context(internal::VariableMapRef(map));
  }
  // That of a greenlet of the calling thread which has not ended. Throws std::logic_error for any
  // other.
  static Context Of(const Greenlet& greenlet);
  // Makes this the context of such a greenlet.
  void AssignTo(const Greenlet& greenlet) const;

  // A copy; copying does the same.
  Context Copy() const { return *this; }
  bool empty() const { return map_.get() == nullptr; }

  // Calls `f` with this as the caller's context, then, also if `f` throws, gives the caller its own
  // back. What `f` sets stays in this object. Throws std::logic_error if it is running already.
  template <typename F>
  decltype(auto) Run(F&& f) {
    const Running running(*this);
    return std::forward<F>(f)();
  }

 private:
  explicit Context(internal::VariableMapRef map) noexcept : map_(std::move(map)) {}

  class Running {
   public:
    explicit Running(Context& context) : context_(context) {
      if (context.running_) throw std::logic_error("Context::Run: this context is running already");
      context.running_ = true;
      outer_ = internal::ReplaceCurrentVariables(context.map_);
    }
    Running(const Running&) = delete;
    ~Running() {
      context_.map_ = internal::ReplaceCurrentVariables(std::move(outer_));
      context_.running_ = false;
    }

   private:
    Context& context_;
    internal::VariableMapRef outer_;
  };

  internal::VariableMapRef map_;
  bool running_ = false;
};

// A variable whose value is part of the context. Usually static; may be used from any thread. Two
// variables are never the same, whatever their names.
template <typename T>
class ContextVar {
 public:
  // `name` is for error texts. Without a default, Get() of a variable that is not set throws.
  explicit ContextVar(std::string name) : name_(std::move(name)) {}
  ContextVar(std::string name, T default_value)
      : name_(std::move(name)), default_(std::move(default_value)) {}
  ContextVar(const ContextVar&) = delete;
  ContextVar& operator=(const ContextVar&) = delete;

  // A copy of the value in the caller's context, else of the default; std::out_of_range if there is
  // neither.
  T Get() const {
    if (const T* value = Find(); value != nullptr) return *value;
    throw std::out_of_range("ContextVar '" + name_ + "' is not set and has no default");
  }
  // The same, with `fallback` in the default's place.
  T Get(T fallback) const {
    const T* value = FindSet();
    return value != nullptr ? *value : std::move(fallback);
  }
  // As Get() without the copy, and null instead of throwing. Good until the caller sets or resets
  // this variable or ends.
  const T* Find() const {
    if (const T* value = FindSet(); value != nullptr) return value;
    return default_.has_value() ? &*default_ : nullptr;
  }

  // How to undo a Set(), once.
  class Token {
   public:
    Token(Token&& other) noexcept
        : variable_(std::exchange(other.variable_, nullptr)),
          fiber_(other.fiber_),
          before_(std::move(other.before_)) {}
    Token& operator=(Token other) noexcept {
      std::swap(variable_, other.variable_);
      std::swap(fiber_, other.fiber_);
      std::swap(before_, other.before_);
      return *this;
    }

   private:
    friend class ContextVar;
    Token(const ContextVar* variable, std::shared_ptr<const void> before)
        : variable_(variable), fiber_(internal::CurrentFiber()), before_(std::move(before)) {}

    const ContextVar* variable_;  // null once used
    const internal::Fiber* fiber_;
    std::shared_ptr<const void> before_;  // null: it was not set
  };

  // Sets it in the caller's context and in no other.
  Token Set(T value) const {
    const auto* before = internal::FindVariable(internal::CurrentVariables(), id_);
    Token token(this, before != nullptr ? *before : nullptr);
    Put(std::make_shared<const T>(std::move(value)));
    return token;
  }
  // Back to what it was before that Set(), be it no value. Throws std::logic_error if the token is
  // of another variable or another greenlet, or was used before.
  void Reset(Token token) const {
    if (token.variable_ != this) {
      throw std::logic_error("ContextVar '" + name_ + "': the token is " +
                             (token.variable_ == nullptr ? "used" : "of another variable"));
    }
    if (token.fiber_ != internal::CurrentFiber()) {
      throw std::logic_error("ContextVar '" + name_ + "': the token is of another greenlet");
    }
    Put(std::move(token.before_));
  }

  // Sets a variable for the rest of a block.
  class [[nodiscard]] Scope {
   public:
    Scope(const ContextVar& variable, T value)
        : variable_(variable), token_(variable.Set(std::move(value))) {}
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;
    // Does nothing in another greenlet than the one it was made in.
    ~Scope() {
      if (token_.fiber_ == internal::CurrentFiber()) variable_.Put(std::move(token_.before_));
    }

   private:
    const ContextVar& variable_;
    Token token_;
  };

  const std::string& name() const { return name_; }

 private:
  const T* FindSet() const {
    const auto* value = internal::FindVariable(internal::CurrentVariables(), id_);
    return value != nullptr ? static_cast<const T*>(value->get()) : nullptr;
  }
  void Put(std::shared_ptr<const void> value) const {
    internal::ReplaceCurrentVariables(
        internal::WithVariable(internal::CurrentVariables(), id_, std::move(value)));
  }

  const std::string name_;
  const std::optional<T> default_;
  const std::uint64_t id_ = internal::NewVariable();
};

}  // namespace verdant

#endif  // VERDANT_GREENLET_CONTEXT_H_
