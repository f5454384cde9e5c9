#include <iostream>
#include <vector>

#include "green/http.h"
#include "pool/green_pool.h"

int main(int argc, char** argv) {
  std::vector<const char*> urls(argv + 1, argv + argc);
  verdant::GreenPool pool(200);
  for (auto&& page : pool.Imap(verdant::green::http::Get, urls)) {
    std::cout << (page.ok() ? page->url + ": " + std::to_string(page->body.size()) + " bytes"
                            : page.status().ToString())
              << "\n";
  }
}
