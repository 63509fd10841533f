//go:build wasmtime && cgo

// The guest's stack is the stack of the thread that it runs on. What a program
// may use of it is fixed by the contract, so the threads must have as much,
// whatever the limits of the process that started this one.

#define _GNU_SOURCE
#include "shim.h"

#include <pthread.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

// Address space, not memory: pages are taken as they are touched.
enum { THREAD_STACK = 112 << 20 };

#ifdef __linux__

// Before main, so that it holds for every thread that Go's runtime makes. The
// first thread grows as far as the soft limit says at the time: the kernel
// leaves 128 MiB free below it. Where the hard limit is lower, guests
// run on other threads.
__attribute__((constructor)) static void widen_stacks(void) {
  struct rlimit limit;
  if (!getrlimit(RLIMIT_STACK, &limit) && limit.rlim_cur < THREAD_STACK) {
    limit.rlim_cur = limit.rlim_max < THREAD_STACK ? limit.rlim_max : THREAD_STACK;
    setrlimit(RLIMIT_STACK, &limit);
  }
  pthread_attr_t attr;
  size_t size = 0;
  if (pthread_getattr_default_np(&attr)) return;
  pthread_attr_getstacksize(&attr, &size);
  if (size < THREAD_STACK) {
    pthread_attr_setstacksize(&attr, THREAD_STACK);
    pthread_setattr_default_np(&attr);
  }
  pthread_attr_destroy(&attr);
}

// carrel_thread_stack is the stack size of new threads.
size_t carrel_thread_stack(void) {
  pthread_attr_t attr;
  size_t size = 0;
  if (pthread_getattr_default_np(&attr)) return 0;
  pthread_attr_getstacksize(&attr, &size);
  pthread_attr_destroy(&attr);
  return size;
}

static uintptr_t stack_low(void) {
  pthread_attr_t attr;
  void *low = NULL;
  size_t size = 0, guard = 0;
  if (pthread_getattr_np(pthread_self(), &attr)) return UINTPTR_MAX;
  pthread_attr_getstack(&attr, &low, &size);
  pthread_attr_getguardsize(&attr, &guard);
  pthread_attr_destroy(&attr);
  return (uintptr_t)low + guard;
}

#else

// carrel_thread_stack is the stack size of new threads: Go gives them that of
// the first one.
size_t carrel_thread_stack(void) { return pthread_get_stacksize_np(pthread_self()); }

static uintptr_t stack_low(void) {
  pthread_t self = pthread_self();
  return (uintptr_t)pthread_get_stackaddr_np(self) - pthread_get_stacksize_np(self);
}

#endif

static __thread uintptr_t low;

// carrel_stack_room is how much stack this thread has left.
size_t carrel_stack_room(void) {
  if (!low) low = stack_low();
  uintptr_t here = (uintptr_t)__builtin_frame_address(0);
  return here > low ? here - low : 0;
}

// carrel_stack_release gives memory back that a deep guest left on this
// thread's stack, below the frames in use. On the first thread, whose stack is
// mapped as it grows, it does nothing.
void carrel_stack_release(void) {
#ifdef __linux__
  enum { KEPT = 256 << 10, PAGE = 64 << 10 }; // PAGE: of any kernel
  uintptr_t end = ((uintptr_t)__builtin_frame_address(0) - KEPT) & ~(uintptr_t)(PAGE - 1);
  uintptr_t start = (low + PAGE - 1) & ~(uintptr_t)(PAGE - 1);
  if (low && getpid() != gettid() && start < end) madvise((void *)start, end - start, MADV_DONTNEED);
#endif
}
