-- which language pairs gain most by hybrid batches
select h.query_language, h.pool_language, avg(h.value) - avg(m.value) as gain
from cell_measures h join cell_measures m using (experiment, task_id, setting, query_language, pool_language, measure)
where experiment = 'quickstart' and h.arm like 'hybrid%' and m.arm like 'mono%' and measure = 'map'
    and setting = 'cross_lingual'
group by all order by gain desc limit 10
