# A Lifeboat worker and its command line, with the client tools of PostgreSQL 18 (they also serve older servers).
FROM node:24-bookworm-slim

RUN apt-get update \
  && apt-get install --yes --no-install-recommends ca-certificates postgresql-common \
  && /usr/share/postgresql-common/pgdg/apt.postgresql.org.sh -y \
  && apt-get install --yes --no-install-recommends postgresql-client-18 \
  && rm -rf /var/lib/apt/lists/*

# Freed buffers of the streams go back to the system; why and how much: src/embedded/worker-memory.ts, which `worker` completes itself.
ENV MALLOC_ARENA_MAX=2 MALLOC_MMAP_THRESHOLD_=131072

WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev && npm cache clean --force
COPY src ./src

# Named volumes take over owner and mode of these folders.
RUN install --directory --owner=node --group=node --mode=0700 \
    /var/lib/lifeboat/keys /var/lib/lifeboat/backups /var/lib/lifeboat/state /app/logs
USER node

ENTRYPOINT ["node", "src/cli/main.ts"]
CMD ["worker"]
