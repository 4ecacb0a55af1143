SELECT note_rescue_round(make_interval(secs => %(longest_gap)s), make_interval(secs => %(settled_for)s))
