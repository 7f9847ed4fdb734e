{
  'variables': {
    # 1 compiles the named fault points in: node-gyp rebuild --interproc_faults=1
    'interproc_faults%': 0,
  },
  'targets': [
    {
      'target_name': 'interproc',
      'sources': [
        'native/platform/clock.cc',
        'native/platform/fault.cc',
        'native/platform/file.cc',
        'native/platform/futex.cc',
        'native/platform/mapping.cc',
        'native/platform/posix_open.cc',
        'native/platform/posix_semaphore.cc',
        'native/platform/posix_shm.cc',
        'native/platform/process.cc',
        'native/platform/result.cc',
        'native/memory/layout.cc',
        'native/memory/registry.cc',
        'native/memory/segment.cc',
        'native/memory/side_regions.cc',
        'native/memory/ticket.cc',
        'native/sync/doorbell.cc',
        'native/sync/waiters.cc',
        'native/ring/catalog.cc',
        'native/ring/leases.cc',
        'native/ring/ledger.cc',
        'native/ring/mpmc_ring.cc',
        'native/ring/passengers.cc',
        'native/ring/queue.cc',
        'native/ring/spsc_channel.cc',
        'native/ring/tasks.cc',
        'native/binding/addon.cc',
        'native/binding/detach.cc',
        'native/binding/environment.cc',
        'native/binding/errors.cc',
        'native/binding/lease_calls.cc',
        'native/binding/lease_views.cc',
        'native/binding/mapped_buffer.cc',
        'native/binding/message_calls.cc',
        'native/binding/object_calls.cc',
        'native/binding/posix_calls.cc',
      ],
      # Where glibc before 2.34 has shm_open and sem_open; empty since.
      'libraries': ['-lrt', '-lpthread'],
      'include_dirs': ['native'],
      'defines': [
        'NAPI_VERSION=9',
        'NAPI_DISABLE_CPP_EXCEPTIONS',
        # A worker that is being terminated can be thrown nothing any more; without this, that would end the process.
        'NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS',
      ],
      # Each Node brings its own language standard in common.gypi, some of them older than ours.
      'cflags_cc!': ['-std=gnu++14', '-std=gnu++1y', '-std=gnu++17', '-fexceptions', '-frtti'],
      'cflags!': ['-O2', '-Wno-unused-parameter'],
      'cflags': ['-O3', '-fvisibility=hidden', '-Wall', '-Wextra', '-Wshadow', '-Wconversion'],
      'cflags_cc': [
        '-std=c++20',
        '-fno-exceptions',
        '-fno-rtti',
        '-fvisibility-inlines-hidden',
        # As a system directory, for our warnings are not node-addon-api's; relative to build/, where make runs.
        "-isystem ../<!(node -p \"require('node-addon-api').include_dir\")",
      ],
      'conditions': [
        ['interproc_faults==1', {'defines': ['INTERPROC_FAULTS=1']}],
      ],
    },
  ],
}
