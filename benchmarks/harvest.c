// Commons Harvest on the open map, as a plain C loop: what one core can do when nothing stands between the rules
// and the machine.  Same dynamics and same view as nomoi.situations.harvest, preset "open": 7 agents, 64 apples,
// moves one after the other in random order, beams of length 3 and radius 1 that stop at walls and at the first
// body, 4 steps out of play for whoever is hit, a new episode every 1000 steps.
//
//     cc -O3 -march=native -o harvest harvest.c && ./harvest WORLDS STEPS MODE
//
// MODE 0 makes no views, MODE 1 makes and reads one byte a cell: wall, apple, agent, and which way the agent faces.
// Prints one line of JSON with world steps per second of CPU time.

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { HEIGHT = 18, WIDTH = 24, AGENTS = 7, HORIZON = 1000 };
enum { AHEAD = 9, BACK = 1, SIDE = 5, ROWS = AHEAD + BACK + 1, COLS = 2 * SIDE + 1, CELLS = ROWS * COLS };
enum { LENGTH = 3, RADIUS = 1, EXILE = 4, COOLDOWN = 2 };
// The map is kept with a rim of wall as wide as anybody sees, so that no look and no beam needs a bounds check.
enum { RIM = AHEAD, STRIDE = WIDTH + 2 * RIM, AREA = STRIDE * (HEIGHT + 2 * RIM) };
enum { STAY, GO_AHEAD, GO_BACK, GO_LEFT, GO_RIGHT, TURN_LEFT, TURN_RIGHT, ZAP };
enum { WALL = 1, APPLE = 2, AGENT = 4, LEFT = 8, RIGHT = 16, SAME = 32, TOWARDS = 64 };  // the bits of a view
enum { NOBODY = AGENTS };

static const char *const MAP[HEIGHT] = {
    "WWWWWWWWWWWWWWWWWWWWWWWW",
    "WRRR    B      B    RRRW",
    "WRR    BBB    BBB    RRW",
    "WR    BBBBB  BBBBB    RW",
    "W      BBB    BBB      W",
    "W       B      B       W",
    "W  G                G  W",
    "W GGG  Q        Q  GGG W",
    "WGGGGG            GGGGGW",
    "W GGG              GGG W",
    "W  G                G  W",
    "W                      W",
    "W                      W",
    "W                      W",
    "W  PPPPPPPPPPPPPPPPPP  W",
    "W PPPPPPPPPPPPPPPPPPPP W",
    "WPPPPPPPPPPPPPPPPPPPPPPW",
    "WWWWWWWWWWWWWWWWWWWWWWWW",
};

static const int STEP[4] = {-STRIDE, 1, STRIDE, -1};               // north, east, south, west
static const int QUARTER[5] = {0, 0, 2, 3, 1};                     // which way a move goes, in right turns from ahead
static const double REGROWTH[4] = {0, 0.0025, 0.005, 0.025};       // by live neighbours: 0, 1, 2, 3 or more
static const uint8_t FACES[4] = {SAME, RIGHT, TOWARDS, LEFT};      // by how far another is turned to the right of me

typedef struct {
    uint64_t random;             // state of the generator
    uint64_t apples;             // bit s: the apple of site s is there
    int time;
    int16_t cell[AGENTS];
    uint8_t facing[AGENTS], out[AGENTS], cooling[AGENTS];
    uint8_t ground[AREA];        // WALL and APPLE, kept up to date for the views
    uint8_t who[AREA];           // who stands in each cell, or NOBODY
} World;

static uint8_t blank[AREA];                       // the map without apples
static int site_cell[64], spawn[512], inner[64];  // cells of the apples, of P, of Q
static int sites, spawns, inners;
static uint8_t site_at[AREA];                     // the site of each cell, or 255
static uint64_t near_site[64];                    // bit t of near_site[s]: site t lies within distance 2 of s
static uint32_t threshold[4];                     // regrowth as 32-bit words
static int look[4][CELLS];                        // where the cells of a view lie, by facing

static inline uint64_t draw(World *w) {  // splitmix64
    uint64_t z = (w->random += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

static inline int below(World *w, int bound) { return (int)(((draw(w) >> 32) * (uint64_t)bound) >> 32); }

static void read_map(void) {
    memset(blank, WALL, sizeof blank);
    memset(site_at, 255, sizeof site_at);
    for (int r = 0; r < HEIGHT; r++)
        for (int c = 0; c < WIDTH; c++) {
            int cell = (r + RIM) * STRIDE + c + RIM;
            char letter = MAP[r][c];
            blank[cell] = letter == 'W' ? WALL : 0;
            if (strchr("RBG", letter)) site_at[cell] = sites, site_cell[sites++] = cell;
            if (letter == 'P') spawn[spawns++] = cell;
            if (letter == 'Q') inner[inners++] = cell;
        }
    for (int s = 0; s < sites; s++)
        for (int t = 0; t < sites; t++) {
            int down = site_cell[s] / STRIDE - site_cell[t] / STRIDE, over = site_cell[s] % STRIDE - site_cell[t] % STRIDE;
            if (s != t && down * down + over * over <= 4) near_site[s] |= 1ull << t;
        }
    for (int k = 0; k < 4; k++) threshold[k] = (uint32_t)(REGROWTH[k] * 4294967296.0);
    for (int f = 0; f < 4; f++)
        for (int k = 0; k < CELLS; k++) look[f][k] = (AHEAD - k / COLS) * STEP[f] + (k % COLS - SIDE) * STEP[(f + 1) & 3];
}

// The first agents start near the apples, the others below; nobody shares a cell.
static void reset(World *w) {
    memcpy(w->ground, blank, sizeof blank);
    memset(w->who, NOBODY, sizeof w->who);
    w->apples = sites == 64 ? ~0ull : (1ull << sites) - 1;
    for (int s = 0; s < sites; s++) w->ground[site_cell[s]] |= APPLE;
    w->time = 0;
    for (int i = 0; i < AGENTS; i++) {
        int cell;
        do cell = i < inners ? inner[below(w, inners)] : spawn[below(w, spawns)];
        while (w->who[cell] != NOBODY);
        w->cell[i] = (int16_t)cell, w->who[cell] = (uint8_t)i;
        w->facing[i] = (uint8_t)below(w, 4), w->out[i] = w->cooling[i] = 0;
    }
}

// Follow one ray of `count` cells; marks the first body it reaches.  Says whether its very first cell stopped it.
static inline int ray(const World *w, int cell, int step, int count, unsigned *hit) {
    for (int k = 0; k < count; k++, cell += step) {
        if (w->ground[cell] & WALL) return k == 0;
        if (w->who[cell] != NOBODY) {
            *hit |= 1u << w->who[cell];
            return k == 0;
        }
    }
    return 0;
}

static unsigned beam(const World *w, int i) {
    unsigned hit = 0;
    int ahead = STEP[w->facing[i]], right = STEP[(w->facing[i] + 1) & 3];
    ray(w, w->cell[i] + ahead, ahead, LENGTH, &hit);
    for (int sign = -1; sign <= 1; sign += 2)
        for (int k = 1; k <= RADIUS; k++)
            if (ray(w, w->cell[i] + sign * k * right, ahead, LENGTH - k + 1, &hit)) break;
    return hit;
}

// One step; gives the number of apples eaten.
static int advance(World *w, const int action[AGENTS]) {
    int move[AGENTS], order[AGENTS], eaten = 0;
    for (int i = 0; i < AGENTS; i++) {
        move[i] = w->out[i] ? STAY : action[i];
        if (move[i] == TURN_LEFT) w->facing[i] = (w->facing[i] + 3) & 3;
        if (move[i] == TURN_RIGHT) w->facing[i] = (w->facing[i] + 1) & 3;
        order[i] = i;
    }

    uint64_t words = draw(w);
    for (int i = AGENTS - 1; i > 0; i--, words >>= 8) {
        int j = (int)(((words & 255) * (unsigned)(i + 1)) >> 8), held = order[i];
        order[i] = order[j], order[j] = held;
    }
    for (int k = 0; k < AGENTS; k++) {
        int i = order[k];
        if (move[i] < GO_AHEAD || move[i] > GO_RIGHT) continue;
        int target = w->cell[i] + STEP[(w->facing[i] + QUARTER[move[i]]) & 3];
        if (w->ground[target] & WALL || w->who[target] != NOBODY) continue;
        w->who[w->cell[i]] = NOBODY, w->who[target] = (uint8_t)i, w->cell[i] = (int16_t)target;
    }

    for (int i = 0; i < AGENTS; i++)
        if (!w->out[i] && w->ground[w->cell[i]] & APPLE) {
            w->ground[w->cell[i]] &= (uint8_t)~APPLE;
            w->apples &= ~(1ull << site_at[w->cell[i]]);
            eaten++;
        }
    uint64_t all = sites == 64 ? ~0ull : (1ull << sites) - 1, grown = 0;
    for (uint64_t empty = all & ~w->apples; empty; empty &= empty - 1) {
        int s = __builtin_ctzll(empty), count = __builtin_popcountll(w->apples & near_site[s]);
        if (count && (uint32_t)draw(w) < threshold[count > 3 ? 3 : count]) {
            grown |= 1ull << s;
            w->ground[site_cell[s]] |= APPLE;
        }
    }
    w->apples |= grown;

    unsigned hit = 0;
    for (int i = 0; i < AGENTS; i++) {
        int fires = move[i] == ZAP && !w->cooling[i];
        if (fires) hit |= beam(w, i);
        w->cooling[i] = (uint8_t)(fires ? COOLDOWN : w->cooling[i] ? w->cooling[i] - 1 : 0);
    }
    for (int i = 0; i < AGENTS; i++) {
        if (w->out[i] == 1) {  // due back; one that draws a taken cell tries again in the next step
            int entry = spawn[below(w, spawns)];
            if (w->who[entry] == NOBODY)
                w->cell[i] = (int16_t)entry, w->who[entry] = (uint8_t)i, w->facing[i] = 0, w->out[i] = 0;
        } else if (w->out[i])
            w->out[i]--;
    }
    for (int i = 0; i < AGENTS; i++)
        if (hit >> i & 1) w->out[i] = EXILE, w->who[w->cell[i]] = NOBODY;

    if (++w->time >= HORIZON) reset(w);
    return eaten;
}

static void observe(const World *w, uint8_t view[AGENTS][CELLS]) {
    for (int i = 0; i < AGENTS; i++) {
        if (w->out[i]) {
            memset(view[i], 0, CELLS);
            continue;
        }
        int facing = w->facing[i], row = w->cell[i] / STRIDE, col = w->cell[i] % STRIDE;
        const uint8_t *ground = w->ground + w->cell[i];
        for (int k = 0; k < CELLS; k++) view[i][k] = ground[look[facing][k]];
        for (int j = 0; j < AGENTS; j++) {
            if (j == i || w->out[j]) continue;
            int south = w->cell[j] / STRIDE - row, east = w->cell[j] % STRIDE - col;
            int ahead = facing == 0 ? -south : facing == 1 ? east : facing == 2 ? south : -east;
            int right = facing == 0 ? east : facing == 1 ? south : facing == 2 ? -east : -south;
            if (ahead >= -BACK && ahead <= AHEAD && right >= -SIDE && right <= SIDE)
                view[i][(AHEAD - ahead) * COLS + right + SIDE] |= AGENT | FACES[(w->facing[j] - facing) & 3];
        }
    }
}

int main(int count, char **argument) {
    if (count != 4) return fprintf(stderr, "usage: harvest WORLDS STEPS MODE\n"), 2;
    int worlds = atoi(argument[1]), steps = atoi(argument[2]), mode = atoi(argument[3]);
    if (worlds < 1 || steps < 1) return fprintf(stderr, "harvest: WORLDS and STEPS must be at least 1\n"), 2;
    read_map();
    World *world = malloc(sizeof *world * (size_t)worlds);
    uint8_t(*view)[AGENTS][CELLS] = calloc((size_t)worlds, sizeof *view);
    if (!world || !view) return fprintf(stderr, "harvest: out of memory\n"), 1;
    for (int k = 0; k < worlds; k++) world[k].random = 12345 + 7919ull * (uint64_t)k;

    uint64_t eaten = 0;
    struct timespec start, end;
    for (int pass = 0; pass < 2; pass++) {  // the first pass warms the caches up
        int passed = pass ? steps : steps / 5;
        eaten = 0;
        for (int k = 0; k < worlds; k++) reset(world + k);
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &start);
        for (int t = 0; t < passed; t++)
            for (int k = 0; k < worlds; k++) {
                // actions depend on what was seen, so that no view can be left out
                uint64_t words = draw(world + k);
                int action[AGENTS];
                for (int i = 0; i < AGENTS; i++) action[i] = (int)((words >> 3 * i) + view[k][i][0]) & 7;
                eaten += (uint64_t)advance(world + k, action);
                if (mode) observe(world + k, view[k]);
            }
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
    }
    double seconds = (double)(end.tv_sec - start.tv_sec) + 1e-9 * (double)(end.tv_nsec - start.tv_nsec);
    double made = (double)worlds * steps;
    printf("{\"worlds\": %d, \"steps\": %d, \"mode\": %d, \"steps_per_second\": %.0f, \"eaten_per_step\": %.6f}\n",
           worlds, steps, mode, made / seconds, (double)eaten / made);
    free(world), free(view);
    return 0;
}
