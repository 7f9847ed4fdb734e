/* The other side of the interop tests, in C: peer DEED MEMORY SEMAPHORE. */
#include <fcntl.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static void require(int is_so, const char* what) {
  if (is_so) return;
  perror(what);
  exit(1);
}

static unsigned char* map(int file, size_t bytes) {
  void* at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  require(at != MAP_FAILED, "mmap");
  return at;
}

static unsigned char* open_memory(const char* name, size_t* bytes) {
  const int file = shm_open(name, O_RDWR, 0);
  struct stat status;
  require(file >= 0, "shm_open");
  require(fstat(file, &status) == 0, "fstat");
  *bytes = (size_t)status.st_size;
  return map(file, *bytes);
}

static sem_t* open_semaphore(const char* name) {
  sem_t* semaphore = sem_open(name, 0);
  require(semaphore != SEM_FAILED, "sem_open");
  return semaphore;
}

static void wait_for_line(void) {
  int character = getchar();
  while (character != '\n' && character != EOF) character = getchar();
}

int main(int count, char** arguments) {
  require(count == 4, "usage");
  const char* deed = arguments[1];
  const char* memory_name = arguments[2];
  const char* semaphore_name = arguments[3];
  size_t bytes = 0;
  setvbuf(stdout, NULL, _IOLBF, 0);
  if (strcmp(deed, "answer") == 0) {
    unsigned char* memory = open_memory(memory_name, &bytes);
    sem_t* gate = open_semaphore(semaphore_name);
    printf("ready %s %zu\n", memory_name + 1, bytes);
    require(sem_wait(gate) == 0, "sem_wait");
    for (size_t i = 0; i < bytes; ++i) ++memory[i];
    puts("answered");
  } else if (strcmp(deed, "create") == 0) {
    const int file = shm_open(memory_name, O_RDWR | O_CREAT | O_EXCL, 0600);
    require(file >= 0, "shm_open");
    require(ftruncate(file, 5000) == 0, "ftruncate");
    unsigned char* memory = map(file, 5000);
    memory[4999] = 77;
    puts("created");
    wait_for_line();
    printf("saw %d\n", memory[0]);
  } else if (strcmp(deed, "post") == 0) {
    wait_for_line();
    require(sem_post(open_semaphore(semaphore_name)) == 0, "sem_post");
  } else if (strcmp(deed, "count") == 0) {
    volatile unsigned* counter = (volatile unsigned*)(void*)open_memory(memory_name, &bytes);
    sem_t* gate = open_semaphore(semaphore_name);
    puts("ready");
    for (int i = 0; i < 10000; ++i) {
      require(sem_wait(gate) == 0, "sem_wait");
      *counter = *counter + 1;
      require(sem_post(gate) == 0, "sem_post");
    }
  } else {
    require(0, deed);
  }
  return 0;
}
