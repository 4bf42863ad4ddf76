#include "benchmarks/report/findings_text.h"

#include "benchmarks/report/comparison_text.h"
#include "runtime_launchers/support/json.h"

namespace hvbench {
namespace {

void PrintFindingsJson(const std::vector<FindingResult>& findings, std::ostream& out) {
  using Ordered = nlohmann::ordered_json;
  Ordered list = Ordered::array();
  for (const FindingResult& finding : findings) {
    Ordered claims = Ordered::array();
    for (const ClaimResult& claim : finding.claims) {
      Ordered entry = {{"runtime", claim.runtime},       {"baseline", claim.baseline},
                       {"quantity", claim.quantity},     {"expected", claim.expected},
                       {"status", NameOf(claim.status)}, {"why", claim.why},
                       {"kernels", claim.kernels}};
      if (claim.measured) entry["ratio"] = claim.measured->ratio;
      if (claim.measured && claim.measured->interval) {
        entry["low"] = claim.measured->interval->low;
        entry["high"] = claim.measured->interval->high;
      }
      claims.push_back(std::move(entry));
    }
    list.push_back({{"number", finding.number},
                    {"subsystem", finding.subsystem},
                    {"statement", finding.statement},
                    {"source", finding.source},
                    {"grade", finding.grade},
                    {"status", NameOf(finding.status)},
                    {"claims", claims}});
  }
  out << list.dump(2, ' ', false, Ordered::error_handler_t::replace) << '\n';
}

}  // namespace

void PrintFindings(const std::vector<FindingResult>& findings, const std::string& format,
                   std::ostream& out) {
  if (format == "json") {
    PrintFindingsJson(findings, out);
    return;
  }
  const bool markdown = format == "markdown";
  for (const FindingResult& finding : findings) {
    const std::string status(NameOf(finding.status));
    out << (markdown ? "- **" : "") << finding.number << ". " << status << (markdown ? "**" : "")
        << ": " << finding.statement << " (" << finding.subsystem << "; " << finding.grade << ": "
        << finding.source << ")\n";
    for (const ClaimResult& claim : finding.claims) {
      if (claim.status == FindingStatus::kNotMeasured && finding.status != claim.status) continue;
      if (claim.status == FindingStatus::kNotMeasured && claim.why != "emulated") continue;
      out << (markdown ? "  - " : "     ") << claim.quantity << " of " << claim.runtime << " to "
          << claim.baseline << ": expected " << claim.expected;
      if (claim.measured) out << ", measured " << PrintEstimate(*claim.measured);
      out << ": " << NameOf(claim.status) << (claim.why.empty() ? "" : " (" + claim.why + ")")
          << '\n';
    }
  }
}

}  // namespace hvbench
