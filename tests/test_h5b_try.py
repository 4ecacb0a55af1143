import time
from aiops.db.inputs import *
from aiops.db.block_inputs import *
from aiops.db.statements import statement
from aiops.db.datasets import register_dataset
def test_try(connection):
    d=register_dataset(connection,name="x",source="x",file_sha256=None,first_year=None,last_year=None,synthetic=True)
    write_gauges(connection,[Gauge(f"g{i}",None,33+i*.1,126+i*.05) for i in range(50)],d)
    write_gauge_maxima(connection,[GaugeMaximum(f"g{i}",y,4.) for i in range(50) for y in range(1961,2021)],d)
    write_sea_level_rise(connection,[SeaLevelRise(f"g{i}",sc,y,.1) for i in range(50) for sc in ("ssp126","ssp245","ssp370","ssp585") for y in range(2021,2101)],d)
    write_warming(connection,[Warming(sc,y,1.) for sc in ("ssp126","ssp245","ssp370","ssp585") for y in range(2021,2101)],d)
    connection.commit()
    connection.execute("ANALYZE")
    with connection.cursor(binary=True) as c:
        for q in ("read_block_warming","read_block_gauges","read_block_rise"):
            for _ in range(3):
                s=time.perf_counter(); c.execute(statement(q)); r=c.fetchall(); e=time.perf_counter()-s
            print(q, round(1000*e,2), len(r))
        s=time.perf_counter(); i=read_inputs(c); print("inputs",round(1000*(time.perf_counter()-s),2))
    import numpy as np
    s=time.perf_counter(); y=i.years(); print("years",round(1000*(time.perf_counter()-s),2))
    s=time.perf_counter(); i.tides_on(np.arange(1991,2101,dtype=np.int32),np.array([37.]),np.array([126.]),np.array([1.])); print("tides",round(1000*(time.perf_counter()-s),2))
