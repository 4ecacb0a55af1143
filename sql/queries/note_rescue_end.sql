UPDATE rescue_watch SET last_round = clock_timestamp()
