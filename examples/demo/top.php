<?php // the most frequent words of at least seven letters
$words = str_word_count(strtolower(file_get_contents("/text/opticks.txt")), 1);
$counts = array_count_values(array_filter($words, fn($w) => strlen($w) >= 7));
arsort($counts);
foreach (array_slice($counts, 0, 3) as $word => $n) echo "$n $word\n";
