.mode list
CREATE TABLE t(a INTEGER PRIMARY KEY, b TEXT, c REAL);
CREATE INDEX i ON t(b);
WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 20000)
  INSERT INTO t SELECT x, printf('%05d', (x * 7919) % 20000), x / 4.0 FROM n;
SELECT count(*), sum(a), min(b), max(b), avg(c), total(c) FROM t;
SELECT a, b FROM t WHERE b BETWEEN '00100' AND '00103' ORDER BY b;
BEGIN;
DELETE FROM t WHERE a % 2;
SELECT count(*) FROM t;
SAVEPOINT s;
UPDATE t SET b = b || '!' WHERE a < 100;
ROLLBACK TO s;
ROLLBACK;
SELECT count(*) FROM t;
PRAGMA journal_mode = WAL;
INSERT INTO t VALUES(100000, 'wal', 1.5);
SELECT count(*) FROM t;
PRAGMA wal_checkpoint;
PRAGMA journal_mode = DELETE;
CREATE TRIGGER tr AFTER DELETE ON t BEGIN INSERT INTO gone VALUES(old.a); END;
CREATE TABLE gone(a);
DELETE FROM t WHERE a <= 3;
SELECT group_concat(a) FROM gone;
CREATE TEMP TABLE big AS SELECT * FROM t ORDER BY c DESC;
SELECT count(*), max(rowid) FROM big;
SELECT json_extract('{"a":[1,{"b":2}]}', '$.a[1].b'), json_group_array(a) FROM (SELECT a FROM t LIMIT 3);
SELECT a, row_number() OVER (ORDER BY c DESC), sum(a) OVER (ORDER BY a ROWS 1 PRECEDING) FROM t WHERE a < 8 ORDER BY a;
SELECT strftime('%Y-%m-%d %H:%M:%S', 1000000000, 'unixepoch'), julianday('2000-01-01'), date('2024-02-29', '+1 year');
SELECT hex(randomblob(4)) <> hex(randomblob(4)), typeof(random()), round(2.5), abs(-3), upper('straße'), unicode('€'), quote(x'00ff'), 1 / 3.0;
SELECT b, instr(b, '9') FROM t WHERE b GLOB '0*99' AND b LIKE '%4_9' LIMIT 3;
VACUUM;
PRAGMA integrity_check;
.backup copy.db
.open copy.db
SELECT count(*) FROM t;
CREATE TABLE t(a);
SELECT nothing;
.exit
