// How long single operations took: a histogram that is recorded by one thread, merged over threads,
// and reported as percentiles.
#pragma once

#include <algorithm>
#include <boost/histogram/axis/regular.hpp>
#include <boost/histogram/histogram.hpp>
#include <boost/histogram/make_histogram.hpp>
#include <boost/histogram/storage_adaptor.hpp>
#include <cmath>
#include <cstdint>
#include <tuple>
#include <vector>

#include "fixtures/protocol/messages.h"

namespace hvbench::agent::kernels {

class LatencyHistogram {
 public:
  // About 20 ns, most of it a logarithm for the bin's number.
  void Record(std::uint64_t ns) {
    bins_(static_cast<double>(ns));
    count_ += 1;
    sum_ns_ += ns;
    max_ns_ = std::max(max_ns_, ns);
  }

  void Merge(const LatencyHistogram& other) {
    bins_ += other.bins_;
    count_ += other.count_;
    sum_ns_ += other.sum_ns_;
    max_ns_ = std::max(max_ns_, other.max_ns_);
  }

  void Reset() {
    bins_.reset();
    count_ = sum_ns_ = 0;
    max_ns_ = 0;
  }

  std::uint64_t count() const { return count_; }
  // Exact; 0 if there were none.
  double MeanNs() const {
    return count_ == 0 ? 0 : static_cast<double>(sum_ns_) / static_cast<double>(count_);
  }

  // The least time within which at least `fraction` of the operations ended, 0 if there were none.
  // Off by at most 0.5 %, which is half a bin, between 100 ns and 100 s; never above the maximum.
  double PercentileNs(double fraction) const {
    const double wanted = std::max(1.0, std::ceil(fraction * static_cast<double>(count_)));
    double seen = 0;
    const auto& axis = bins_.axis();
    for (int bin = -1; bin <= axis.size() && count_ > 0; ++bin) {  // the outer two: all beyond
      seen += static_cast<double>(bins_.at(bin));
      if (seen < wanted) continue;
      const double middle = bin < 0 ? kLowestNs : axis.value(bin + 0.5);
      return std::min(middle, static_cast<double>(max_ns_));
    }
    return static_cast<double>(max_ns_);
  }

  std::vector<protocol::Counter> Counters() const {
    return {{"p50_ns", PercentileNs(0.5)},
            {"p90_ns", PercentileNs(0.9)},
            {"p99_ns", PercentileNs(0.99)},
            {"p99.9_ns", PercentileNs(0.999)},
            {"max_ns", static_cast<double>(max_ns_)}};
  }

 private:
  static constexpr double kLowestNs = 1e2;
  static constexpr double kHighestNs = 1e11;
  static constexpr unsigned kBins = 2083;  // of 1 % each: ln(1e11 / 1e2) / ln(1.01)

  using Axis = boost::histogram::axis::regular<double, boost::histogram::axis::transform::log>;
  boost::histogram::histogram<std::tuple<Axis>, boost::histogram::dense_storage<std::uint64_t>>
      bins_{Axis(kBins, kLowestNs, kHighestNs)};
  std::uint64_t count_ = 0;
  std::uint64_t sum_ns_ = 0;
  std::uint64_t max_ns_ = 0;
};

}  // namespace hvbench::agent::kernels
