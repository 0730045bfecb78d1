// The debugger of a tape: reads the view that stands in the page, and puts the panes together.

import { createBreakpoints } from "./breakpoints.js";
import { createDetail } from "./detail.js";
import { byId } from "./dom.js";
import { createFolds } from "./fold.js";
import { createGraph } from "./graph.js";
import { createJumps } from "./jumps.js";
import { createKeys } from "./keys.js";
import { createModel } from "./model.js";
import { createPlaces } from "./places.js";
import { createPlayer } from "./player.js";
import { dataIn } from "./reading.js";
import { createSearch } from "./search.js";
import { createTheme } from "./shade.js";
import { createSource } from "./source.js";
import { createTransport } from "./transport.js";
import { unpackView } from "./unpack.js";
import { createWhatIf } from "./whatif.js";

const model = createModel(unpackView(await dataIn("view")));
const player = createPlayer(model);
const folds = createFolds(model);
const places = createPlaces(model);

byId("title").textContent = document.title;
const theme = createTheme(player);
createSource(model, player, places);
const graph = createGraph(model, player, folds, places);
createDetail(byId("detail"), model, player);
createWhatIf(model, player);
const transport = createTransport(model, player);
const search = createSearch(model, player, places, transport.say);
const jumps = createJumps(model, player, transport.say);
createBreakpoints(model, player);
createKeys(model, player, { graph, search, transport, jumps, theme, folds });

byId("zoom-in").addEventListener("click", () => graph.camera.zoom(1.25));
byId("zoom-out").addEventListener("click", () => graph.camera.zoom(0.8));
byId("fit").addEventListener("click", graph.fit);
byId("turn").addEventListener("click", graph.turn);
byId("fold-all").addEventListener("click", graph.foldAll);
byId("fold-all").hidden = !model.view.scopes.length;
