#include <fmt/ranges.h>
#include <malloc.h>
#include <mpi.h>
#include <torch/torch.h>
#include <CLI/CLI.hpp>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <optional>
#include <thread>

#include <locum/core/agree.hpp>
#include <locum/core/communicator.hpp>
#include <locum/core/error.hpp>
#include <locum/solvers/reference/petsc/petsc.hpp>

#include "stop_signals.hpp"
#include "verbs/verbs.hpp"

// OpenBLAS's own switch, where libtorch multiplies with OpenBLAS.
extern "C" __attribute__((weak)) void openblas_set_num_threads(int threads);

namespace {

using namespace locum;
using namespace locum::cli;

/// MPI for the life of the program. Ranks that fail alone end the job instead of leaving the others waiting.
class MpiSession {
 public:
  MpiSession(int& argc, char**& argv) { MPI_Init(&argc, &argv); }
  ~MpiSession() { MPI_Finalize(); }
  MpiSession(const MpiSession&) = delete;
  MpiSession& operator=(const MpiSession&) = delete;

  Communicator world() const { return Communicator(MPI_COMM_WORLD); }

  /// Says what failed: rank 0 for all if all failed together, else the rank itself, and then it ends the job.
  void report(const std::string& message) const
  {
    if (world().is_root()) std::fprintf(stderr, "%s\n", message.c_str());
    MPI_Request request;
    int everybody_here = 0;
    MPI_Ibarrier(MPI_COMM_WORLD, &request);
    for (int wait = 0; wait < 500 && !everybody_here; ++wait) {
      MPI_Test(&request, &everybody_here, MPI_STATUS_IGNORE);
      if (!everybody_here) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    if (everybody_here) return;
    if (!world().is_root()) std::fprintf(stderr, "rank %d: %s\n", world().rank(), message.c_str());
    MPI_Abort(MPI_COMM_WORLD, 1);
  }
};

/// Threads for libtorch: the cores of this node shared by the ranks on it, unless the user said otherwise.
void set_threads(int requested)
{
  MPI_Comm node;
  MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &node);
  int ranks_here = 1;
  MPI_Comm_size(node, &ranks_here);
  MPI_Comm_free(&node);
  const int cores = static_cast<int>(std::thread::hardware_concurrency());
  const char* const environment = std::getenv("OMP_NUM_THREADS");
  if (requested == 0 && environment) requested = std::atoi(environment);
  torch::set_num_threads(requested > 0 ? requested : std::max(1, cores / ranks_here));
  // libtorch's threads call OpenBLAS; threads of its own would fight them for the cores (1.5 times slower).
  if (openblas_set_num_threads) openblas_set_num_threads(1);
  // Memory that a step frees stays ours for the next: handing it back costs a page fault for every 4 kB. The threshold
  // for mapping blocks apart cannot be raised beyond 32 MB, and setting any threshold fixes it at 128 kB: map none.
  mallopt(M_MMAP_MAX, 0);
  mallopt(M_TRIM_THRESHOLD, -1);
}

struct CommandLine {
  std::string case_path;
  std::string output;
  std::vector<std::string> overrides;
  std::string petsc;
  std::vector<std::string> on;
  std::vector<std::filesystem::path> compared;
  std::filesystem::path comparison = "compare.png";
  bool print_config = false;
  int threads = 0;
  SolveRequest request;
  std::string correct;
  BenchRequest bench;
  InfoRequest info;
  ImportRequest import;
  ApplyRequest apply;
  std::filesystem::path export_from, export_to;
};

struct Verb {
  std::function<void(const Communicator&, const Case&, const RunFolder&)> work;
  Needs needs;
};

CLI::App* add_verb(CLI::App& app, const std::string& name, const std::string& help, CommandLine& line)
{
  CLI::App* verb = app.add_subcommand(name, help);
  verb->add_option("CASE", line.case_path, "case folder or case file")->required();
  verb->add_option("--output", line.output, "run folder; default runs/<case>");
  verb->add_option("--set", line.overrides, "an option of the case, as training.epochs=5; may be repeated")
      ->allow_extra_args(false);
  verb->add_option("--petsc", line.petsc, "PETSc options, as \"-ksp_rtol 1e-10 -pc_type hypre\"");
  verb->add_option("--threads", line.threads, "threads a rank; default: OMP_NUM_THREADS, or cores / ranks")
      ->check(CLI::PositiveNumber);
  verb->add_flag("--print-config", line.print_config, "print the case with all its defaults and stop");
  return verb;
}

void all_steps(const Communicator& ranks, const Case& c, const RunFolder& folder)
{
  if (c.data.train.empty() || (c.data.test.empty() && c.equation)) {
    if (c.data.train.empty() && c.equation) {
      auto stored = c.generate.cells;
      for (auto& cells : stored) cells /= c.trajectory.every;
      try_model(c, c.equation->draw(c.equation->grid(stored), /*seed=*/0, /*first=*/0, /*count=*/1), c.data.inputs,
                "generate.cells");
    }
    generate(ranks, c, folder);
  }
  train(ranks, c, folder);
  agree(ranks, [&] {
    if (ranks.is_root()) evaluate(Communicator(), c, folder);
  });
}

/// What is wrong with the command line, and the nearest word that would not be.
OptionError explain(const CLI::App& app, const CLI::ParseError& error)
{
  const auto chosen = app.get_subcommands();
  std::vector<std::string> known;
  if (chosen.empty())
    for (const CLI::App* verb : app.get_subcommands(nullptr)) known.push_back(verb->get_name());
  for (const CLI::Option* option : (chosen.empty() ? &app : chosen.front())->get_options())
    known.push_back(option->get_name());
  const auto unknown = app.remaining(/*recurse=*/true);
  const auto nearest = unknown.empty() ? std::string{} : nearest_name(unknown.front(), known);
  const std::string help = fmt::format("`locum{} --help`", chosen.empty() ? "" : " " + chosen.front()->get_name());
  return OptionError({.doing = "reading the command line",
                      .where = unknown.empty() ? "" : unknown.front(),
                      .found = error.what(),
                      .expected = chosen.empty() ? fmt::format("one of {}", fmt::join(known, ", ")) : "",
                      .advice = nearest.empty() ? help : fmt::format("{}, or {}", nearest, help)});
}

int run(const MpiSession& mpi, const CommandLine& line, const std::string& verb_name, const Verb& verb)
{
  const Communicator ranks = mpi.world();
  const Case c = read_case(line.case_path, line.overrides, line.petsc);
  if (line.print_config) {
    if (ranks.is_root()) fmt::print("# locum {} {}\n{}", verb_name, line.case_path, c.to_toml());
    return 0;
  }
  set_threads(line.threads);
  const solvers::PetscSession petsc(ranks);
  const RunFolder folder = open_run_folder(
      ranks, line.output.empty() ? std::filesystem::path("runs") / c.name : std::filesystem::path(line.output), c,
      verb.needs);
  verb.work(ranks, c, folder);
  return 0;
}

}  // namespace

int main(int argc, char** argv)
{
  CLI::App app{"locum: a learned operator stands in for a PDE solve, and you can tell when it should not", "locum"};
  app.set_version_flag("--version", LOCUM_VERSION);
  app.require_subcommand(1);
  app.get_formatter()->column_width(36);
  CommandLine line;

  std::map<CLI::App*, Verb> verbs;
  const auto add = [&](const std::string& name, const std::string& help, Verb verb) {
    CLI::App* added = add_verb(app, name, help, line);
    verbs[added] = std::move(verb);
    return added;
  };
  add("generate", "solve random problems with the reference solver into an HDF5 dataset", {generate, Needs::nothing});
  add("train", "train a surrogate from an HDF5 dataset", {train, Needs::same_training});
  add("evaluate", "compare a surrogate with test data: errors, timings, figures, ParaView files",
      {[&line](const Communicator& ranks, const Case& c, const RunFolder& folder) {
         if (line.on.empty()) evaluate(ranks, c, folder);
         else evaluate_on(ranks, c, folder, line.on);
       },
       Needs::surrogate})
      ->add_option("--on", line.on, "only a table of errors: the test data, and all samples of these files or folders");
  add("tune", "search options by successive halving: [tune] of the case", {tune, Needs::nothing});
  add("run", "all steps of a case; what is done already is not done again", {all_steps, Needs::same_training});
  add("discover", "the terms a model lacks, in closed form, from what observations add to it",
      {discover, Needs::nothing});
  CLI::App* solving = add("solve", "one problem with the chosen solver",
                          {[&line](const Communicator& ranks, const Case& c, const RunFolder& folder) {
                             solve(ranks, c, folder, line.request);
                           },
                           Needs::nothing});
  solving->add_option("--with", line.request.with, "reference, a checkpoint, or a run folder")->capture_default_str();
  solving->add_option("--input", line.request.input, "HDF5 file with the problem's fields; default: a random problem");
  solving->add_option("--sample", line.request.sample, "row of the file, or number of the random problem")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  solving
      ->add_option("--samples", line.request.samples, "how many from there on; of several: mean, deviation, quantiles")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  solving->add_option("--cells", line.request.cells, "grid of the random problem, slowest axis first");
  solving->add_flag("--compare", line.request.compare, "solve with the reference, too");
  CLI::App* assimilating = add("assimilate", "filter observations, with the chosen solver as the model",
                               {[&line](const Communicator& ranks, const Case& c, const RunFolder& folder) {
                                  assimilate(ranks, c, folder, line.request.with, line.correct);
                                },
                                Needs::nothing});
  assimilating->add_option("--with", line.request.with, "reference, a checkpoint, or a run folder")
      ->capture_default_str();
  assimilating->add_option("--correct", line.correct, "a surrogate of increments.h5, added to every forecast");
  CLI::App* info_verb = app.add_subcommand("info", "what is in a dataset or a checkpoint");
  info_verb->add_option("FILE", line.info.file)->required();
  info_verb->add_flag("--full", line.info.full, "look at all values, not at some samples");
  info_verb->add_option("--write-case", line.info.write_case, "write a case that trains on it to this file");
  CLI::App* bench_verb = app.add_subcommand("bench", "time an operator or a solver on this machine");
  bench_verb
      ->add_option("NAME", line.bench.name,
                   "fno, barotropic, euler, kuramoto-sivashinsky, lorenz96, quasi-geostrophic, shallow-water")
      ->required();
  bench_verb->add_option("--case", line.bench.only, "1d, 2d, 3d or all")->capture_default_str();
  bench_verb->add_option("--repeats", line.bench.repeats)->capture_default_str();
  bench_verb->add_option("--batch", line.bench.batch, "samples; default: the case's");
  bench_verb->add_option("--threads", line.threads, "default: cores");
  bench_verb->add_flag("--float64", line.bench.float64);
  bench_verb->add_flag("--reference", line.bench.reference, "libtorch's operations instead of our kernels");
  bench_verb->add_flag("--json", line.bench.json, "one JSON object a measurement");
  CLI::App* import_verb = app.add_subcommand("import-weights", "a checkpoint from the weights of neuraloperator's FNO");
  import_verb->add_option("FILE", line.import.from, "FILE.h5:/group or FILE.safetensors with its state dict")
      ->required();
  import_verb->add_option("--output", line.import.output, "the checkpoint to write")->required();
  import_verb->add_flag("--without-grid", line.import.without_grid, "it has positional_embedding=None");
  import_verb->add_flag("--float64", line.import.float64, "compute in double precision");
  CLI::App* export_verb = app.add_subcommand("export-weights", "the weights of a checkpoint as safetensors");
  export_verb->add_option("MODEL", line.export_from, "checkpoint")->required();
  export_verb->add_option("OUTPUT", line.export_to, "FILE.safetensors")->required();
  CLI::App* apply_verb = app.add_subcommand("apply", "a checkpoint to a plain array [sample, channel, (z, y,) x]");
  apply_verb->add_option("MODEL", line.apply.model, "checkpoint")->required();
  apply_verb->add_option("INPUT", line.apply.input, "FILE.h5:/dataset")->required();
  apply_verb->add_option("OUTPUT", line.apply.output, "HDF5 file to write, dataset /output")->required();
  apply_verb->add_option("--threads", line.threads, "default: cores");
  CLI::App* compare_verb = app.add_subcommand("compare", "what runs have in common and how they differ, loss curves");
  compare_verb->add_option("RUN", line.compared, "run folders")->required();
  compare_verb->add_option("--output", line.comparison, "the picture to write")->capture_default_str();
  CLI::App* list_verb = app.add_subcommand("list", "models, equations, solvers, cases");

  std::optional<std::string> misuse;
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version: MPI is not needed for that
    misuse = explain(app, error).what();
  }
  const MpiSession mpi(argc, argv);
  if (misuse) {
    mpi.report(*misuse);
    return 1;
  }
  try {
    CLI::App* chosen = app.get_subcommands().front();
    if (chosen == info_verb) info(line.info);
    else if (chosen == list_verb) list();
    else if (chosen == compare_verb) compare(line.compared, line.comparison);
    else if (chosen == import_verb) import_weights(line.import);
    else if (chosen == export_verb) export_weights(line.export_from, line.export_to);
    else if (chosen == apply_verb) {
      set_threads(line.threads);
      apply(line.apply);
    } else if (chosen == bench_verb) {
      set_threads(line.threads);
      bench(line.bench);
    } else return run(mpi, line, chosen->get_name(), verbs.at(chosen));
    return 0;
  } catch (const Stopped&) {
    return stopped_status;
  } catch (const c10::Error& error) {
    mpi.report(fmt::format("in libtorch: {}", error.what_without_backtrace()));
  } catch (const std::exception& error) {
    mpi.report(error.what());
  }
  return 1;
}
