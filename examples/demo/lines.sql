create table lines(text);
.separator "\001" "\n"
.import /text/opticks.txt lines
select count(*) || ' lines, ' || sum(text = '') || ' of them empty' from lines;
select sum(text like '%experiment%') || ' lines about experiments' from lines;
