// Words of standard input by how often they are there, by what C++ has for it.

#include <algorithm>
#include <cctype>
#include <functional>
#include <iomanip>
#include <iostream>
#include <map>
#include <memory>
#include <numeric>
#include <set>
#include <sstream>
#include <string>
#include <unordered_map>
#include <vector>

struct Shape {
	virtual ~Shape() = default;
	virtual double area() const = 0;
};
struct Square : Shape {
	double side;
	explicit Square(double s) : side(s) {}
	double area() const override { return side * side; }
};
struct Circle : Shape {
	double radius;
	explicit Circle(double r) : radius(r) {}
	double area() const override { return 3.25 * radius * radius; }
};

template <typename Container, typename F>
auto mapped(const Container& from, F f) {
	std::vector<decltype(f(*from.begin()))> to;
	std::transform(from.begin(), from.end(), std::back_inserter(to), f);
	return to;
}

int main() {
	std::unordered_map<std::string, int> count;
	std::string line;
	size_t lines = 0;
	while (std::getline(std::cin, line)) {
		lines++;
		std::istringstream in(line);
		for (std::string word; in >> word;) {
			word.erase(std::remove_if(word.begin(), word.end(), [](unsigned char c) { return !std::isalpha(c); }), word.end());
			std::transform(word.begin(), word.end(), word.begin(), [](unsigned char c) { return std::tolower(c); });
			if (!word.empty()) count[word]++;
		}
	}
	std::vector<std::pair<std::string, int>> words(count.begin(), count.end());
	std::sort(words.begin(), words.end(), [](const auto& a, const auto& b) {
		return std::tie(b.second, a.first) < std::tie(a.second, b.first);
	});
	int total = std::accumulate(words.begin(), words.end(), 0, [](int sum, const auto& w) { return sum + w.second; });
	std::cout << lines << " lines, " << total << " words, " << words.size() << " different\n";
	for (size_t n = 0; n < words.size() && n < 5; n++)
		std::cout << std::left << std::setw(10) << words[n].first << std::right << std::setw(4) << words[n].second << '\n';

	std::map<size_t, std::set<std::string>> by_length;
	for (const auto& w : words) by_length[w.first.size()].insert(w.first);
	const auto& longest = *by_length.rbegin();
	std::cout << "longest: " << *longest.second.begin() << " (" << longest.first << ")\n";

	std::vector<std::unique_ptr<Shape>> shapes;
	shapes.push_back(std::make_unique<Square>(1.5));
	shapes.push_back(std::make_unique<Circle>(2));
	auto areas = mapped(shapes, [](const auto& s) { return s->area(); });
	std::cout << std::fixed << std::setprecision(2) << areas[0] << ' ' << areas[1] << std::hex << ' ' << 255 << std::endl;

	std::function<long(long)> fib = [&](long n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); };
	std::ostringstream out;
	out << std::boolalpha << (fib(20) == 6765) << ' ' << std::stoi("42") + 1 << ' ' << std::to_string(2.5);
	std::cout << out.str() << std::endl;
	return std::cin.eof() ? 0 : 1;
}
