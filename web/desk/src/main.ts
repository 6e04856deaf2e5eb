import { ElButton } from "element-plus";
import "element-plus/theme-chalk/base.css";
import "element-plus/theme-chalk/el-button.css";
import "element-plus/theme-chalk/dark/css-vars.css";
import { createPinia } from "pinia";
import { createApp } from "vue";
import App from "./App.vue";
import { router } from "./router";
import "./style.css";
import { i18n } from "./texts";

createApp(App).use(createPinia()).use(router).use(i18n).component("ElButton", ElButton).mount("#app");
