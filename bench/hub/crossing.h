#ifndef VERDANT_BENCH_HUB_CROSSING_H_
#define VERDANT_BENCH_HUB_CROSSING_H_

namespace verdant {

// What it costs to get from one hub to another, beside two plain threads doing the same. Prints
// lines "NAME VALUE": nanoseconds of both threads' CPU time for one item, and with "/wall" behind
// the name of the clock on the wall.
void MeasureCrossings();

}  // namespace verdant

#endif  // VERDANT_BENCH_HUB_CROSSING_H_
