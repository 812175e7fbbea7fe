-- language bias: how often each language stands in the first ten of the multilingual pool, relative to its candidates
select arm, task, task_id, query_language, passage_language, avg(relative_share) as relative_share
from language_shares where depth = 10 group by all order by all
