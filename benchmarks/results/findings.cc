#include "benchmarks/results/findings.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <regex>

#include "benchmarks/text/number_text.h"
#include "runtime_launchers/support/json.h"

// findings.json, as it was when the program was built (cmake/HvbenchEmbed.cmake).
namespace hvbench::resources {
std::string_view FindingsJson();
}  // namespace hvbench::resources

namespace hvbench {
namespace {

struct Claim {
  std::string runtime;
  std::string baseline;
  std::regex kernels;
  std::string quantity;
  double min = 0;  // of the ratio
  double max = std::numeric_limits<double>::infinity();
};

std::string Expected(const Claim& claim) {
  if (!std::isfinite(claim.max)) return "at least " + PrintRatio(claim.min);
  if (claim.min <= 0) return "at most " + PrintRatio(claim.max);
  return "from " + PrintRatio(claim.min) + " to " + PrintRatio(claim.max);
}

// The cell with another quantity as the value that is compared.
CellResult OfQuantity(const CellResult& cell, const std::string& quantity) {
  CellResult changed = cell;
  changed.samples.clear();
  for (Sample sample : cell.samples) {
    sample.value = ValueOf(sample, quantity);
    if (sample.value > 0) changed.samples.push_back(std::move(sample));
  }
  return changed;
}

FindingStatus Decide(const Claim& claim, const RatioEstimate& measured) {
  if (!measured.interval) return FindingStatus::kUndecided;
  const auto [low, high] = *measured.interval;
  if (low >= claim.min && high <= claim.max) return FindingStatus::kConfirmed;
  if (high < claim.min || low > claim.max) return FindingStatus::kRefuted;
  return FindingStatus::kUndecided;
}

ClaimResult JudgeClaim(const Claim& claim, const ResultFile& file) {
  ClaimResult result;
  result.runtime = claim.runtime;
  result.baseline = claim.baseline;
  result.quantity = claim.quantity;
  result.expected = Expected(claim);
  if (file.Emulated(claim.runtime) || file.Emulated(claim.baseline)) {
    result.why = "emulated";
    return result;
  }
  MeanComparison mean;
  for (const std::string& kernel : file.results.kernels()) {
    if (!std::regex_search(kernel, claim.kernels)) continue;
    const CellResult* baseline = file.results.Find(kernel, claim.baseline);
    const CellResult* other = file.results.Find(kernel, claim.runtime);
    if (baseline == nullptr || other == nullptr) continue;
    const CellResult from = OfQuantity(*baseline, claim.quantity);
    const CellResult to = OfQuantity(*other, claim.quantity);
    if (!from.Measured() || !to.Measured()) continue;
    mean.Add(from, to, Pairing::kSameRun);
    result.kernels.push_back(kernel);
  }
  if (mean.count() == 0) {
    result.why =
        "no such benchmark was measured in both " + claim.runtime + " and " + claim.baseline;
    return result;
  }
  result.measured = mean.Estimate().estimate;
  result.status = Decide(claim, *result.measured);
  if (result.status == FindingStatus::kUndecided) {
    result.why = result.measured->interval ? "the interval holds the bound"
                                           : "one boot a side: there is no interval";
  }
  return result;
}

FindingStatus StatusOf(const std::vector<ClaimResult>& claims) {
  const auto any = [&](FindingStatus status) {
    return std::any_of(claims.begin(), claims.end(),
                       [&](const ClaimResult& claim) { return claim.status == status; });
  };
  // A finding is refuted by one claim, and confirmed by what could be measured of it.
  for (const auto status :
       {FindingStatus::kRefuted, FindingStatus::kUndecided, FindingStatus::kConfirmed}) {
    if (any(status)) return status;
  }
  return FindingStatus::kNotMeasured;
}

FindingResult Judge(const Json& json, const ResultFile& file) {
  FindingResult finding;
  finding.number = json.at("number").get<int>();
  finding.subsystem = json.at("subsystem").get<std::string>();
  finding.statement = json.at("statement").get<std::string>();
  finding.source = json.at("source").get<std::string>();
  finding.grade = json.at("grade").get<std::string>();
  for (const Json& entry : json.at("claims")) {
    Claim claim;
    claim.baseline = entry.at("baseline").get<std::string>();
    claim.kernels = std::regex(entry.at("kernels").get<std::string>());
    claim.quantity = entry.value("quantity", std::string(kRealTime));
    claim.min = entry.value("min", claim.min);
    claim.max = entry.value("max", claim.max);
    for (const Json& runtime : entry.at("runtimes")) {
      claim.runtime = runtime.get<std::string>();
      finding.claims.push_back(JudgeClaim(claim, file));
    }
  }
  finding.status = StatusOf(finding.claims);
  return finding;
}

}  // namespace

std::string_view NameOf(FindingStatus status) {
  switch (status) {
    case FindingStatus::kConfirmed:
      return "confirmed";
    case FindingStatus::kRefuted:
      return "refuted";
    case FindingStatus::kUndecided:
      return "undecided";
    case FindingStatus::kNotMeasured:
      return "not measured here";
  }
  return "unknown";
}

std::vector<FindingResult> JudgeFindings(const ResultFile& file) {
  std::vector<FindingResult> findings;
  for (const Json& json : Json::parse(resources::FindingsJson())) {
    findings.push_back(Judge(json, file));
  }
  return findings;
}

}  // namespace hvbench
