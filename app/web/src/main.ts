import "prosemirror-view/style/prosemirror.css";
import "./generated/theme.css";
import "./styles/base.css";
import { mount } from "svelte";
import App from "./app.svelte";

const target = document.getElementById("app");
if (target) mount(App, { target });
