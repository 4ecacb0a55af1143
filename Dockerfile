# The daemon as an image: `docker build -t aiops .`, then see compose.yaml.
# EXTRAS adds optional parts, such as "[api,netcdf,report]".
FROM python:3.13-slim AS build
WORKDIR /src
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY sql sql
COPY aiops aiops
COPY workers workers
ARG EXTRAS=""
RUN python -m venv /opt/aiops \
    && /opt/aiops/bin/python -m pip install --no-cache-dir --constraint constraints.txt ".${EXTRAS}"

FROM python:3.13-slim
RUN useradd --system --uid 10001 --user-group --create-home --home-dir /var/lib/aiops --shell /usr/sbin/nologin aiops
COPY --from=build /opt/aiops /opt/aiops
ENV PATH=/opt/aiops/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    OMP_NUM_THREADS=1 \
    LOG_FORMAT=json \
    HEALTH_HOST=0.0.0.0 \
    HEALTH_PORT=9188
USER 10001
WORKDIR /var/lib/aiops
EXPOSE 9188
# Liveness, which never asks the database: a container is not restarted because the server is away.
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen(f\"http://127.0.0.1:{os.environ['HEALTH_PORT']}/livez\", timeout=4)"]
# The daemon hands its chunks back and ends; give it 30 s (docker stop --time 30, stop_grace_period).
STOPSIGNAL SIGTERM
CMD ["aiops", "worker"]
