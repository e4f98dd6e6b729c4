// Compiled into every program of the preset `asan` by its linker flags: what AddressSanitizer must know about the
// libraries beside us, so that no environment variable is needed, and mpiexec itself stays untouched.

// Frame pointers end in libraries that were built without: unwind by their tables.
extern "C" const char* __asan_default_options() { return "fast_unwind_on_malloc=0"; }

// What Open MPI and the libraries it loads allocate once, for the life of the process.
extern "C" const char* __lsan_default_suppressions()
{
  return "leak:libopen-pal.so\n"
         "leak:libopen-rte.so\n"
         "leak:libmpi.so\n"
         "leak:libpmix.so\n"
         "leak:libprrte.so\n"
         "leak:mca_\n"
         "leak:libhwloc.so\n"
         "leak:libevent\n"
         "leak:libfabric.so\n"
         "leak:libucs.so\n"
         "leak:libucp.so\n"
         "leak:libpsm\n"
         "leak:libibverbs\n"
         "leak:libnl-3\n"
         "leak:libdbus\n";
}

// Open MPI unloads its plugins at the end, and with them the names that the suppressions above match.
extern "C" int dlclose(void*) { return 0; }
