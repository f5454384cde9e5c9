#ifndef VERDANT_GREENLET_EXIT_H_
#define VERDANT_GREENLET_EXIT_H_

namespace verdant {

// Thrown inside a greenlet or green thread to end it: by Kill(), by Throw() without an argument,
// and when the last handle of a suspended Greenlet goes away. Reference rows A1.13, C6, C10.
//
// Not a std::exception, so that `catch (const std::exception&)` in the code being ended does not
// stop it by accident. Code that must clean up uses destructors; code that catches it on purpose
// survives.
class GreenletExit {};

}  // namespace verdant

#endif  // VERDANT_GREENLET_EXIT_H_
