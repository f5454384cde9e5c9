// The examples of pool/README.md, word for word.

#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "hub/green_thread.h"
#include "pool/dag_pool.h"
#include "pool/green_pile.h"
#include "pool/green_pool.h"
#include "pool/group.h"
#include "pool/queue.h"
#include "pool/tpool.h"

namespace verdant {
namespace {

std::string Fetch(const std::string& url) {
  Sleep();
  if (url == "bad") throw std::runtime_error("no such host");
  return "<" + url + ">";
}

TEST(Readme, TheExampleDoesWhatItSays) {
  std::vector<std::string> log;
  auto Print = [&](const std::string& line) { log.push_back(line); };

  std::vector<std::string> urls = {"a", "bad", "b", "c"};
  GreenPool pool(100);

  auto pages = pool.Imap(Fetch, urls);  // 100 at a time, results in the order of urls
  for (;;) {
    try {
      std::optional<std::string> page = pages.Next();
      if (!page) break;
      Print(*page);
    } catch (const std::runtime_error& e) {  // one page's failure; the others still come
      Print(e.what());
    }
  }

  Queue<std::string> work(10);  // Put() waits while ten are waiting
  for (int i = 0; i < 3; ++i) {
    pool.SpawnN([&] {
      for (auto& url : work) Print(Fetch(url));
    });
  }
  work.Put("d");
  work.Put("e");
  work.Close();  // the three end when all is done
  pool.WaitAll();

  GreenPile<std::string> pile(pool);
  pile.Spawn(Fetch, "f");
  pile.Spawn([] { return "any other call"; });
  for (auto&& result : pile) Print(result);  // in the order of the calls

  Group group;  // knows its members, and takes in green threads that others spawned
  group.SpawnN([&] { Print(Fetch("g")); });
  group.Add(Spawn([&] { Sleep(absl::InfiniteDuration()); }));
  if (!group.Join(absl::Milliseconds(1))) group.Kill();

  DagPool<std::string, std::string> dag;  // each task waits where it asks for what is not there yet
  dag.Spawn("page", {"style", "text"}, [](const std::string& key, auto& values) {
    std::string page = key;
    for (auto& [name, value] : values) page += " " + value;
    return page;
  });
  dag.Post("text", "hello");
  dag.Post("style", "bold");
  Print(dag["page"]);

  EXPECT_EQ(log, (std::vector<std::string>{"<a>", "no such host", "<b>", "<c>", "<d>", "<e>", "<f>",
                                           "any other call", "<g>", "page hello bold"}));
}

std::string ReadWholeFile(const std::string& path) { return "all of " + path; }

TEST(Readme, ACallOnAnOsThreadIsOneLine) {
  const std::string path = "file";
  std::string text = tpool::Execute(ReadWholeFile, path);  // only this green thread waits
  EXPECT_EQ(text, "all of file");
}

}  // namespace
}  // namespace verdant
