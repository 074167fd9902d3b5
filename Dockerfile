# The worker and all other commands: `docker build -t orderstream .`, `docker run -i orderstream check - < messages.json`
FROM python:3.13-slim-bookworm AS build
ENV UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_NO_CACHE=1 UV_PYTHON_DOWNLOADS=never UV_PROJECT_ENVIRONMENT=/opt/orderstream
RUN pip install --no-cache-dir uv==0.13.9
WORKDIR /build
# The dependencies have a layer of their own: it stays as long as the lock file does.
COPY pyproject.toml uv.lock ./
RUN uv sync --frozen --no-dev --no-install-project
COPY README.md LICENSE ./
COPY src src
RUN uv sync --frozen --no-dev --no-editable

FROM python:3.13-slim-bookworm
COPY --from=build /opt/orderstream /opt/orderstream
# Nothing is written at run time, so the root file system may be read-only. A health check comes from outside: 0.0.0.0.
ENV PATH=/opt/orderstream/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 ORDERSTREAM_HTTP_HOST=0.0.0.0
USER 10001:10001
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s CMD python -ISc "\
from http.client import HTTPConnection as To; \
to = To('127.0.0.1', ${ORDERSTREAM_HTTP_PORT:-8080}, timeout=3); \
to.request('GET', '/health/live'); \
raise SystemExit(to.getresponse().status != 200)"
ENTRYPOINT ["orderstream"]
CMD ["run"]
