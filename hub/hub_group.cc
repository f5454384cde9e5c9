#include "hub/hub_group.h"

#include <sched.h>

#include <stdexcept>

#include "hub/internal/hub_crew.h"

namespace verdant {

using internal::HubCrew;

namespace {

std::size_t ProcessorsHere() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof(set), &set) != 0) return 1;
  return static_cast<std::size_t>(CPU_COUNT(&set));
}

std::size_t Threads(std::size_t wanted) {
  constexpr std::size_t kMost = 4096;
  if (wanted > kMost) throw std::logic_error("HubGroup: that many threads make no sense");
  return wanted != 0 ? wanted : ProcessorsHere();
}

void CheckOutside(const HubCrew& crew, const char* what) {
  if (!crew.Here()) return;
  throw std::logic_error(std::string(what) + " on a thread of the group, which it would wait for");
}

}  // namespace

HubGroup::HubGroup() : HubGroup(Options()) {}

HubGroup::HubGroup(Options options)
    : crew_(std::make_unique<HubCrew>(HubCrew::Options{
          Threads(options.threads), std::move(options.hub), std::move(options.name), options.pin,
          std::move(options.on_uncaught), options.unwind_within})),
      size_(crew_->size()),
      stop_within_(options.stop_within) {}

HubGroup::~HubGroup() {
  if (crew_->InForkedChild()) {
    // The threads are the parent's, and what they held locked stays so.
    static_cast<void>(crew_.release());
    return;
  }
  CheckOutside(*crew_, "~HubGroup");
  crew_->Stop(stop_within_, /*interruptible=*/false);
}

const Hub::Remote& HubGroup::remote(std::size_t index) const {
  return crew_->member(index).remote();
}

std::optional<std::size_t> HubGroup::Here() const { return crew_->Here(); }

std::size_t HubGroup::Checked(std::size_t index) const {
  crew_->member(index);
  return index;
}

bool HubGroup::Give(std::size_t index, absl::AnyInvocable<void()> run, SourceLocation site) {
  if (crew_->InForkedChild() || crew_->closed()) return false;
  internal::CrewWork work{std::move(run), site, Context::Current()};
  if (index == kAnywhere) return crew_->Push(std::move(work));
  return crew_->member(index).Begin(std::move(work));
}

bool HubGroup::Post(std::size_t index, absl::AnyInvocable<void()> call) {
  internal::CrewMember& member = crew_->member(index);
  if (crew_->InForkedChild() || crew_->closed()) return false;
  return member.remote().Post(std::move(call));
}

bool HubGroup::Stop(Deadline deadline) {
  if (crew_->InForkedChild()) return true;
  CheckOutside(*crew_, "HubGroup::Stop");
  internal::CheckMayWait();
  return crew_->Stop(deadline.Remaining(), /*interruptible=*/true);
}

bool HubGroup::stopped() const { return crew_->closed(); }

}  // namespace verdant
