# Godwit as a container: `serve` by default, `bot` and `engine` by name. Packages in one stage, the program in the other.
FROM node:24-bookworm-slim AS packages
WORKDIR /godwit
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --no-audit --no-fund

FROM node:24-bookworm-slim
ENV NODE_ENV=production
WORKDIR /godwit
COPY --from=packages /godwit/node_modules ./node_modules
COPY package.json ./
COPY bot ./bot
COPY engine ./engine
COPY db ./db
# Where an SQLite database may lie; with PostgreSQL nothing is written anywhere.
RUN mkdir /data && chown node:node /data
VOLUME /data
USER node
STOPSIGNAL SIGTERM
ENTRYPOINT ["node", "--max-semi-space-size=16", "bot/main.ts"]
CMD ["serve", "--no-page"]
