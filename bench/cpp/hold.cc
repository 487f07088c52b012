// The hold model on std::priority_queue: see ../hold.go. It reads how long to go
// on, in ns of processor time, and answers with the holds done and the time taken.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <queue>
#include <vector>

struct Event {
  uint64_t hits;
  uint64_t rest[7];
};

struct Entry {
  int64_t at, seq;
  Event *event;
};

struct Later {
  bool operator()(const Entry &a, const Entry &b) const {
    return a.at > b.at || (a.at == b.at && a.seq > b.seq);
  }
};

static uint64_t state = 1;

static int64_t gap() {
  state ^= state >> 12;
  state ^= state << 25;
  state ^= state >> 27;
  return int64_t((state * 0x2545f4914f6cdd1dull) >> (64 - 18));
}

static int64_t now() {
  timespec ts;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
  return int64_t(ts.tv_sec) * 1000000000 + ts.tv_nsec;
}

int main(int argc, char **argv) {
  if (argc != 2) return 2;
  const long n = std::atol(argv[1]);
  std::vector<Event> events(n);
  std::priority_queue<Entry, std::vector<Entry>, Later> queue;
  int64_t seq = 0;
  for (Event &e : events) queue.push({gap(), ++seq, &e});
  auto hold = [&](long k) {
    for (; k > 0; k--) {
      Entry e = queue.top();
      queue.pop();
      e.event->hits++;
      queue.push({e.at + gap(), ++seq, e.event});
    }
  };
  hold(3 * n);
  long long window;
  while (std::scanf("%lld", &window) == 1) {
    long long ops = 0, took = 0;
    for (const int64_t start = now(); took < window; took = now() - start) {
      hold(2048);
      ops += 2048;
    }
    std::printf("%lld %lld\n", ops, took);
    std::fflush(stdout);
  }
}
