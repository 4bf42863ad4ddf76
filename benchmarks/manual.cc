#include "benchmarks/manual.h"

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <vector>

#include "benchmarks/exit_status.h"

namespace hvbench {
namespace {

// Google Benchmark's, which it does not tell.
constexpr const char* kBenchmarkFlags[] = {
    "--benchmark_filter=",      "--benchmark_list_tests",
    "--benchmark_repetitions=", "--benchmark_min_time=",
    "--benchmark_out=",         "--benchmark_out_format=",
    "--benchmark_format=",      "--benchmark_report_aggregates_only=",
    "--benchmark_time_unit=",   "--benchmark_display_aggregates_only=",
    "--benchmark_color=",       "--benchmark_counters_tabular=",
    "--benchmark_context=",
};

std::vector<const CLI::App*> Commands(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App* command) { return !command->get_name().empty(); });
}

// But --help and --version, which every program has.
std::vector<const CLI::Option*> Flags(const CLI::App& app) {
  return app.get_options([](const CLI::Option* option) {
    return option->nonpositional() && option->get_name() != "--help" &&
           option->get_name() != "--version";
  });
}

std::vector<const CLI::Option*> Positionals(const CLI::App& app) {
  return app.get_options([](const CLI::Option* option) { return option->get_positional(); });
}

bool TakesValue(const CLI::Option& option) { return option.get_items_expected_max() > 0; }

std::string LongName(const CLI::Option& option) { return "--" + option.get_lnames().front(); }

// "smoke quick full" of CLI11's "TEXT:{smoke,quick,full}"; "" if any value will do.
std::string ChoicesOf(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  const std::size_t begin = type.find('{');
  const std::size_t end = type.find('}', begin);
  if (begin == std::string::npos || end == std::string::npos) return {};
  std::string choices = type.substr(begin + 1, end - begin - 1);
  for (char& c : choices) {
    if (c == ',') c = ' ';
  }
  return choices;
}

// Text without meaning for roff.
std::string Roff(const std::string& text) {
  std::string escaped;
  bool line_begins = true;
  for (const char c : text) {
    if (line_begins && (c == '.' || c == '\'')) escaped += "\\&";
    if (c == '-') {
      escaped += "\\-";
    } else if (c == '\\') {
      escaped += "\\e";
    } else {
      escaped += c;
    }
    line_begins = c == '\n';
  }
  return escaped;
}

std::string FlagEntry(const CLI::Option& option) {
  std::string text = ".TP\n.B " + Roff(LongName(option));
  if (TakesValue(option)) {
    std::string value = ChoicesOf(option);
    for (char& c : value) {
      if (c == ' ') c = '|';
    }
    text += Roff("=" + (value.empty() ? "VALUE" : value));
  }
  text += "\n" + Roff(option.get_description());
  if (!option.get_default_str().empty()) text += Roff(" [" + option.get_default_str() + "]");
  return text + "\n";
}

std::string CommandEntry(const CLI::App& command) {
  std::string text = ".SS " + Roff(command.get_name());
  for (const CLI::Option* positional : Positionals(command)) {
    text += " " + Roff(positional->get_name(/*positional=*/true));
  }
  text += "\n" + Roff(command.get_description()) + ".\n";
  for (const CLI::Option* flag : Flags(command)) text += FlagEntry(*flag);
  return text;
}

std::string CompletedFlags(const CLI::App& app) {
  std::string text;
  for (const CLI::Option* flag : Flags(app)) {
    text += " " + LongName(*flag) + (TakesValue(*flag) ? "=" : "");
  }
  return text;
}

// A line of the completion's `case` for each flag of `app` that has choices.
std::string CompletedChoices(const CLI::App& app) {
  std::string text;
  for (const CLI::Option* flag : Flags(app)) {
    const std::string choices = ChoicesOf(*flag);
    if (choices.empty()) continue;
    text += "    '" + app.get_name() + " " + LongName(*flag) + "') choices='" + choices + "' ;;\n";
  }
  return text;
}

}  // namespace

std::string ManualPage(const CLI::App& app) {
  std::string text = ".TH HVBENCH 1 \"\" \"hvbench " HVBENCH_VERSION
                     "\"\n.SH NAME\nhvbench \\- measures what isolation costs\n"
                     ".SH SYNOPSIS\n.B hvbench\n[FLAG]...\n.br\n.B hvbench\nCOMMAND [FLAG]...\n"
                     ".SH DESCRIPTION\n";
  text += Roff(app.get_description()) + "\n.SH FLAGS\n";
  for (const CLI::Option* flag : Flags(app)) text += FlagEntry(*flag);
  text += ".SH COMMANDS\n";
  for (const CLI::App* command : Commands(app)) text += CommandEntry(*command);
  text +=
      ".SH EXIT STATUS\n"
      ".TP\n.B 0\nEverything was measured, or skipped with a reason.\n"
      ".TP\n.B 1\nSome benchmark failed, or got worse; or an output could not be written.\n"
      ".TP\n.B 2\nWrong usage, or a runtime that was named is unusable.\n"
      ".TP\n.B 3\nThe filter matched nothing.\n"
      ".TP\n.B 130\nInterrupted by SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGALRM or "
      "SIGXCPU; the JSON is valid.\n";
  return text;
}

std::string BashCompletion(const CLI::App& app) {
  std::string names;
  std::string flags_by_command;
  std::string choices = CompletedChoices(app);
  for (const CLI::App* command : Commands(app)) {
    names += (names.empty() ? "" : " ") + command->get_name();
    flags_by_command +=
        "    " + command->get_name() + ") words='" + CompletedFlags(*command) + "' ;;\n";
    choices += CompletedChoices(*command);
  }
  std::string flags = CompletedFlags(app);
  for (const char* flag : kBenchmarkFlags) flags += std::string(" ") + flag;
  std::string any_command = names;
  for (char& c : any_command) {
    if (c == ' ') c = '|';
  }
  // Bash splits words at '=': "--flag=value" are three.
  return R"(# Completion of hvbench for bash: source it, or put it where bash-completion looks for it.
_hvbench() {
  local current=${COMP_WORDS[COMP_CWORD]} before= command= choices= words= i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case ${COMP_WORDS[i]} in )" +
         any_command + R"() command=${COMP_WORDS[i]} ;; esac
  done
  if [[ $current == = ]]; then
    current=
    before=${COMP_WORDS[COMP_CWORD - 1]}
  elif [[ ${COMP_WORDS[COMP_CWORD - 1]} == = ]]; then
    before=${COMP_WORDS[COMP_CWORD - 2]}
  fi
  if [[ -n $before ]]; then
    case "${command:-hvbench} $before" in
)" + choices +
         R"(    esac
    if [[ -n $choices ]]; then
      mapfile -t COMPREPLY < <(compgen -W "$choices" -- "$current")
    else
      mapfile -t COMPREPLY < <(compgen -f -- "$current")
    fi
    return
  fi
  case $command in
)" + flags_by_command +
         "    *) words='" + names + flags + R"(' ;;
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
  if [[ -n $command && $current != -* ]]; then
    mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$current")
  fi
  if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *= ]]; then compopt -o nospace 2>/dev/null; fi
}
complete -o filenames -F _hvbench hvbench
)";
}

void AddManualCommands(CLI::App& app, std::function<int()>& chosen) {
  const auto prints = [&chosen](std::string text) {
    chosen = [text = std::move(text)] {
      std::cout << text;
      return static_cast<int>(kExitMeasured);
    };
  };
  app.add_subcommand("manual", "Prints the manual page: hvbench manual | man -l -")
      ->allow_extras(false)
      ->callback([&app, prints] { prints(ManualPage(app)); });
  auto shell = std::make_shared<std::string>();
  CLI::App* completion =
      app.add_subcommand("completion", "Prints a shell's completion of commands");
  completion->allow_extras(false);
  completion->add_option("SHELL", *shell, "bash or zsh")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh"}));
  completion->callback([&app, prints, shell] {
    const std::string zsh = "autoload -U +X bashcompinit && bashcompinit\n";
    prints((*shell == "zsh" ? zsh : "") + BashCompletion(app));
  });
}

}  // namespace hvbench
