// A runtime of this project's own: the agent as a child process of low priority.
#pragma once

#include <runtime_launchers/launcher.h>

#include <memory>

std::unique_ptr<hvbench::Launcher> MakeNice(hvbench::RuntimeOptions options);
