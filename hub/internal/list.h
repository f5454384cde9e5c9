#ifndef VERDANT_HUB_INTERNAL_LIST_H_
#define VERDANT_HUB_INTERNAL_LIST_H_

#include <cstddef>

namespace verdant::internal {

// A place in a List; its owner decides what it is part of. Unlinks itself when destroyed, so that a
// waiter unwound by an exception leaves no trace.
class ListNode {
 public:
  ListNode() = default;
  ListNode(const ListNode&) = delete;
  ListNode& operator=(const ListNode&) = delete;
  ~ListNode() { Unlink(); }

  bool linked() const { return next_ != nullptr; }
  void Unlink() {
    if (next_ == nullptr) return;
    prev_->next_ = next_;
    next_->prev_ = prev_;
    next_ = prev_ = nullptr;
  }

  // Where a debugger finds the next one. The head of a List is such a node, and all there is of it.
  static constexpr std::size_t NextOffset() { return offsetof(ListNode, next_); }

 private:
  template <typename T>
  friend class List;
  ListNode* prev_ = nullptr;
  ListNode* next_ = nullptr;
};

// A doubly linked list threaded through its elements: no allocation, O(1) removal from anywhere,
// first in first out. T derives from ListNode, perhaps by way of a tag class when it stands in
// several lists.
template <typename T>
class List {
 public:
  List() { head_.prev_ = head_.next_ = &head_; }
  List(const List&) = delete;
  List& operator=(const List&) = delete;
  ~List() {
    while (!empty()) head_.next_->Unlink();
    head_.next_ = head_.prev_ = nullptr;
  }

  bool empty() const { return head_.next_ == &head_; }
  T* front() const { return empty() ? nullptr : static_cast<T*>(head_.next_); }
  // The element after `element`, or null at the end.
  T* next(T* element) const {
    ListNode* node = static_cast<ListNode*>(element)->next_;
    return node == &head_ ? nullptr : static_cast<T*>(node);
  }

  void PushBack(T* element) { InsertBefore(&head_, element); }
  void PushFront(T* element) { InsertBefore(head_.next_, element); }
  // Puts `element` before `place`, which is in this list; null is its end.
  void PushBefore(T* place, T* element) {
    InsertBefore(place != nullptr ? static_cast<ListNode*>(place) : &head_, element);
  }
  T* PopFront() {
    if (empty()) return nullptr;
    T* element = static_cast<T*>(head_.next_);
    static_cast<ListNode*>(element)->Unlink();
    return element;
  }
  // Moves all of `other` behind what is here, in order.
  void Append(List& other) {
    if (other.empty()) return;
    ListNode* first = other.head_.next_;
    ListNode* last = other.head_.prev_;
    other.head_.prev_ = other.head_.next_ = &other.head_;
    first->prev_ = head_.prev_;
    head_.prev_->next_ = first;
    last->next_ = &head_;
    head_.prev_ = last;
  }

 private:
  static void InsertBefore(ListNode* place, ListNode* node) {
    node->prev_ = place->prev_;
    node->next_ = place;
    place->prev_->next_ = node;
    place->prev_ = node;
  }

  ListNode head_;
};

}  // namespace verdant::internal

#endif  // VERDANT_HUB_INTERNAL_LIST_H_
